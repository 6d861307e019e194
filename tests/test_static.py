"""Types and lint are tests like any other."""

import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(*command):
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_signature_is_typed_and_agrees():
    pytest.importorskip("mypy")
    run(sys.executable, "-m", "mypy", "--config-file", "setup.cfg")


def test_the_linter_has_nothing_to_say():
    ruff = pytest.importorskip("ruff.__main__", reason="ruff is not installed")
    run(ruff.find_ruff_bin(), "check", "--no-cache", "--config", "tests/ruff.toml", "qmailpy", "tests", "crash", "fuzz")
