"""Which interpreter a home gets."""

import os
import sys

import pytest

from qmailpy.install import interpreter
from qmailpy.install.interpreter import candidates, choose, closed_folder, why_not


def test_the_chosen_one_is_usable_by_everybody():
    found = choose()
    assert found == os.path.realpath(found)
    assert why_not(found) == ""
    assert closed_folder(found) == ""


def test_an_interpreter_below_a_closed_folder_is_passed_over(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "python3").symlink_to(sys.executable)
    copy = closed / "python3.11"
    copy.write_bytes(b"#!/bin/sh\n")
    copy.chmod(0o755)
    assert "not every user can enter" in why_not(str(copy))
    monkeypatch.setenv("PYTHON", str(copy))
    assert next(candidates()) == str(copy)
    assert choose() != str(copy)


@pytest.mark.parametrize(("text", "words"), [(None, "not there"), ("#!/bin/sh\nexit 1\n", "does not start"), ("#!/bin/sh\necho 3.9; echo /usr/lib\n", "is Python 3.9")])
def test_what_will_not_do(monkeypatch, tmp_path, text, words):
    monkeypatch.setattr(interpreter, "closed_folder", lambda path: "")
    path = tmp_path / "python"
    if text:
        path.write_text(text)
        path.chmod(0o755)
    assert words in why_not(str(path))


def test_one_that_others_cannot_execute(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreter, "closed_folder", lambda path: "")
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    assert "cannot be executed by every user" in why_not(str(path))
