"""qbiff: what a terminal is told, and which terminals are; with a pseudo-terminal and a utmp file of our own."""

import os
import struct
import subprocess
import sys
import tty

import pytest

from tests.checkout import TOP, LittleHome
from tests.dotqmail import DELIVERY, outcome, run

RUN = "import sys; from qmailpy.exits import run; from qmailpy.programs import qbiff; qbiff.UTMP = sys.argv[1]; run(qbiff.main, ['qbiff'])"
LOGGED_IN, LOGGED_OUT = 7, 8
HEAD = b"\r\n\x07*** TO <joe> FROM <s@x.example>\r\n"


class Terminal:
    """A pseudo-terminal; `name` as utmp has it."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        self.name = os.ttyname(self.slave).removeprefix("/dev/")
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.wanted(True)

    def wanted(self, yes):
        """As biff does it."""
        os.fchmod(self.slave, 0o720 if yes else 0o620)

    def shows(self):
        """What has been written to it."""
        try:
            return os.read(self.master, 4096)
        except BlockingIOError:
            return b""

    def close(self):
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def biff(tmp_path):
    """Runs qbiff on a message, with these (type, line, user) in utmp."""
    def start(message, *entries, without=(), **env):
        (tmp_path / "message").write_bytes(message)
        (tmp_path / "utmp").write_bytes(b"".join(struct.pack("=h2xi32s4s32s308x", kind, 1, line.encode(), b"", user.encode()) for kind, line, user in entries))
        env = {name: value for name, value in {**DELIVERY, "PYTHONPATH": str(TOP), **env}.items() if name not in without}
        with (tmp_path / "message").open() as opened:
            done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path / "utmp")], stdin=opened, env=env, capture_output=True, timeout=60)
        assert outcome(done) == (0, b"", b"")

    return start


@pytest.mark.parametrize(("message", "text"), [
    (b"Subject: hello\nFrom: x\n\nfirst line\nsecond\n", b"hello//first line/second/"),
    (b"Subject:\n folded\n  twice\nSubject: again\n\n", b"folded/  twice/again//"),
    (b"From: x\n\nbody\n", b"/body/"),
    (b"no field\n", b"/no field/"),
    (b"", b""),
    (b"Subject: \x1b[2J\x07\xc3\xa4\r\n\n\x00", b"/[2J////////"),
    (b"Subject: " + b"s" * 80 + b"\n\nbody\n", b"s" * 74),
    (b"Subject: x\n\n" + b"b" * 200000, b"x//" + b"b" * 71),
])
def test_what_is_shown(biff, terminal, message, text):
    biff(message, (LOGGED_IN, terminal.name, "joe"))
    assert terminal.shows() == HEAD + b"    " + text + b"\r\n"


def test_nothing_in_an_address_can_command_the_terminal(biff, terminal):
    biff(b"", (LOGGED_IN, terminal.name, "joe"), LOCAL="joe\x1b[2J", SENDER="a\r\nb\udcff@x")
    assert terminal.shows() == b"\r\n\x07*** TO <joe_[2J> FROM <a__b_@x>\r\n    \r\n"


def test_each_terminal_is_told_once(biff, terminal):
    other = Terminal()
    biff(b"", (LOGGED_IN, terminal.name, "joe"), (LOGGED_IN, other.name, "joe"), (LOGGED_IN, terminal.name, "joe"))
    assert terminal.shows() == other.shows() == HEAD + b"    \r\n"
    other.close()


@pytest.mark.parametrize(("kind", "user"), [(LOGGED_OUT, "joe"), (LOGGED_IN, "ann"), (LOGGED_IN, "joey"), (LOGGED_IN, "")])
def test_others_are_not_told(biff, terminal, kind, user):
    biff(b"", (kind, terminal.name, user))
    assert terminal.shows() == b""


def test_who_does_not_want_to_be_told_is_not(biff, terminal):
    terminal.wanted(False)
    biff(b"", (LOGGED_IN, terminal.name, "joe"))
    assert terminal.shows() == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_terminal_of_somebody_else_is_not_told(biff, terminal):
    os.fchown(terminal.slave, 65534, -1)
    biff(b"", (LOGGED_IN, terminal.name, "joe"))
    assert terminal.shows() == b""


@pytest.mark.parametrize("line", ["", "../tmp/file", "/dev/pts/0", "no-such-terminal", "pts"])
def test_lines_that_are_no_terminals(biff, terminal, line):
    biff(b"", (LOGGED_IN, line, "joe"), (LOGGED_IN, terminal.name, "joe"))
    assert terminal.shows() == HEAD + b"    \r\n"


@pytest.mark.parametrize("name", ["USER", "SENDER", "LOCAL"])
def test_nothing_without_the_variables_of_a_delivery(biff, terminal, name):
    biff(b"", (LOGGED_IN, terminal.name, "joe"), without=[name])
    assert terminal.shows() == b""


def test_mail_is_delivered_whatever_goes_wrong(tmp_path):
    home = LittleHome(tmp_path)
    assert outcome(run(home, "qbiff", USER="no-such-user")) == (0, b"", b"")
    assert outcome(run(home, "qbiff", before="exec <&-")) == (0, b"", b"")
