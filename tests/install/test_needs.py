"""`make` says what is missing before it begins."""

import sys

import pytest

from qmailpy.install import interpreter, needs


@pytest.fixture
def nothing_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path


def test_tools_that_are_not_in_path_are_named(nothing_installed):
    assert {"gcc", "make", "git"} <= set(needs.missing(sys.executable))


def test_no_interpreter_is_missing_too(nothing_installed):
    assert "python" in needs.missing(None)


def test_an_interpreter_without_pip_is_told_apart(tmp_path):
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    assert "pip" in needs.missing(str(bare))
    assert "python" not in needs.missing(str(bare))


def test_one_line_says_how_to_install_it(nothing_installed, monkeypatch, capsys):
    monkeypatch.setattr(interpreter, "choose", lambda: None)
    assert needs.main() == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "apt-get install gcc git make python3\n" in told.err


def test_the_interpreter_is_printed_when_all_is_there(capsys):
    if needs.missing(interpreter.choose()):
        pytest.skip("something is missing on this machine")
    assert needs.main() == 0
    assert capsys.readouterr().out.strip() == interpreter.choose()
