"""How an installed program starts."""

import os
import shutil
import subprocess
import sys

import pytest

from qmailpy.boot import HIDDEN, restore

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@pytest.mark.parametrize(("env", "expected"), [
    ({}, {}),
    ({"A": "1", HIDDEN + "PATH": "/x"}, {"A": "1", "PATH": "/x"}),
    ({"LC_CTYPE": "C.UTF-8"}, {}),
    ({"LC_CTYPE": "C.UTF-8", HIDDEN + "LC_CTYPE": "de_DE"}, {"LC_CTYPE": "de_DE"}),
    ({"PATH": "ours", HIDDEN + "PATH": "theirs"}, {"PATH": "theirs"}),
])
def test_hidden_variables_get_their_names_back(env, expected):
    restore(env)
    assert env == expected


def test_a_program_starts_under_its_name_and_ends_with_its_status(tmp_path):
    boot = os.path.join(TOP, "qmailpy/boot.py")
    done = subprocess.run([sys.executable, "-I", "-S", boot, "sendmail", "/x/newaliases"], cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 100
    assert done.stderr.startswith("newaliases: fatal: ")


def test_nothing_is_imported_from_the_callers_folder_or_variables(tmp_path):
    for name in ("os.py", "qmailpy.py", "time.py"):
        (tmp_path / name).write_text("raise SystemExit('taken over')\n")
    boot = os.path.join(TOP, "qmailpy/boot.py")
    env = {"PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "os.py")}
    done = subprocess.run([sys.executable, "-I", "-S", boot, "sendmail", "newaliases"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 100 and "taken over" not in done.stderr


def test_a_program_that_cannot_be_loaded_ends_for_now(tmp_path):
    """Whatever the interpreter would exit with: to qmail-lspawn and others that would be for good."""
    (tmp_path / "lib/qmailpy").mkdir(parents=True)
    shutil.copy(os.path.join(TOP, "qmailpy/boot.py"), tmp_path / "lib/qmailpy/boot.py")
    command = [sys.executable, "-I", "-S", str(tmp_path / "lib/qmailpy/boot.py"), "qmail-local", "qmail-local"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (111, "", "qmail-local: fatal: unable to start: ModuleNotFoundError\n")
    assert subprocess.run(["/bin/sh", "-c", 'exec 2>&-; exec "$0" "$@"', *command], env={}, timeout=60).returncode == 111
