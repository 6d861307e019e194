"""bin/NAME in a checkout runs the module of its name, without anything being compiled or installed."""

import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = sorted((TOP / "bin").iterdir())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_three_lines_and_names_its_module(script):
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/python3 -IS"
    assert len(lines) == 3
    assert f"from qmailpy.programs.{script.name.replace('-', '_')} import main" in lines[2] or f"from qmailpy.programs.{script.name}_ import main" in lines[2]
    assert script.stat().st_mode & 0o111 == 0o111


def test_a_script_runs_from_anywhere_and_through_a_link(tmp_path):
    (tmp_path / "getpw").symlink_to(TOP / "bin/qmail-getpw")
    done = subprocess.run([sys.executable, "-I", "-S", tmp_path / "getpw"], cwd="/", env={}, capture_output=True)
    assert done.returncode == 100
