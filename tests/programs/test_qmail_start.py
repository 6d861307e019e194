"""qmail-start: who is connected to whom."""

import os
import signal
import subprocess
import sys

import pytest

from tests.checkout import LittleHome
from tests.home import wait_for
from tests.signalmasks import masks

NOTE = """#!/bin/sh
open=
for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && open="$open$n "; done
printf '%s\\n' $open "$* $$ $(umask)" > "{note}.new"; mv "{note}.new" "{note}"
"""


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    for name in ("qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean", "logger"):
        found.program(name, NOTE.format(note=tmp_path / name))
    return found


def start(home, *arguments):
    command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-start", "qmail-start", *arguments]
    extra = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(extra, True)
    child = subprocess.Popen(command, env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, close_fds=False)
    os.close(extra)
    child.communicate()
    names = ["qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean", *(["logger"] if len(arguments) > 1 else [])]
    wait_for(lambda: all((home.path / name).exists() for name in names))
    notes = {name: (home.path / name).read_text().splitlines() for name in names}
    return child, {name: (lines[:-1], lines[-1].split(" ")) for name, lines in notes.items()}


def test_it_becomes_qmail_send_and_nobody_gets_other_descriptors(home):
    child, notes = start(home, "./Maildir/", str(home.path / "bin/logger"), "a b")
    assert notes["qmail-send"][0] == ["0", "1", "2", "3", "4", "5", "6"]
    assert notes["qmail-send"][1][-2] == str(child.pid)
    assert notes["qmail-lspawn"][1][0] == "./Maildir/"
    for name in ("qmail-lspawn", "qmail-rspawn", "qmail-clean", "logger"):
        assert notes[name][0] == ["0", "1"]
    assert notes["logger"][1][:2] == ["a", "b"]
    assert all(note[1][-1] == "0077" for note in notes.values())


def test_qmail_send_does_not_die_of_signals_that_come_before_it_is_awake(home):
    for name in ("qmail-send", "qmail-lspawn"):
        home.program(name, NOTE.replace("[ -e", f"cat /proc/$$/status > {home.path / name}.status; [ -e", 1).format(note=home.path / name))
    start(home)
    ignored = {name: masks((home.path / f"{name}.status").read_bytes())["SigIgn"] for name in ("qmail-send", "qmail-lspawn")}
    assert ignored == {"qmail-send": 1 << signal.SIGHUP - 1 | 1 << signal.SIGALRM - 1, "qmail-lspawn": 0}


def test_the_default_delivery(home):
    _, notes = start(home)
    assert notes["qmail-lspawn"][1][0] == "./Mailbox"


def test_a_missing_daemon(home):
    os.unlink(home.path / "bin/qmail-send")
    done = home.run("qmail-start")
    assert done.returncode == 111
