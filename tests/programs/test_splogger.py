"""splogger as a process, with a socket in the place of the system's log daemon."""

import os
import re
import socket
import time

import pytest

from qmailpy.programs.splogger import facility, stamp
from tests.checkout import LittleHome

LOG = "/dev/log"


@pytest.fixture
def log():
    """What the log daemon would hear: a function that gives [(priority, text)], the stamps left out."""
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        daemon.bind(LOG)
    except OSError as problem:
        daemon.close()
        pytest.skip(f"{LOG} cannot be had here: {problem}")
    daemon.setblocking(False)

    def heard():
        found = []
        while True:
            try:
                datagram = daemon.recv(65536).decode("ascii")
            except BlockingIOError:
                return found
            match = re.fullmatch(r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d (.*?): (\d+\.\d{6})([ +].*)", datagram)
            assert abs(float(match[3]) - time.time()) < 60
            found.append((int(match[1]), match[2] + match[4]))

    yield heard
    daemon.close()
    os.unlink(LOG)


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


MAIL, DAEMON, LAST = 2 << 3, 3 << 3, 127 << 3
ALERT, WARNING, INFO = 1, 4, 6


def test_lines_and_their_priorities(home, log):
    done = home.run("splogger", "qmail", stdin=b"new msg 1\nwarning: trouble\n\nalert: %s help\x1b\nno end")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert log() == [(MAIL | INFO, "qmail new msg 1"), (MAIL | WARNING, "qmail warning: trouble"), (MAIL | ALERT, "qmail alert: %s help?")]


def test_a_long_line(home, log):
    home.run("splogger", stdin=b"warning: ".ljust(1000, b"x") + b"\n")
    first, second = log()
    assert first == (MAIL | WARNING, "splogger " + "warning: ".ljust(799, "x"))
    assert second == (MAIL | WARNING, "splogger+" + "x" * 201)


@pytest.mark.parametrize(("words", "priority", "tag"), [
    ((), MAIL | INFO, "splogger"), (("tag", "3"), DAEMON | INFO, "tag"), (("tag", "127x"), LAST | INFO, "tag"),
    (("a\nb\udcff", "2"), MAIL | INFO, "a?b?"), (("tag", "0"), INFO, "tag"), (("tag", "99999999999999999999999"), MAIL | INFO, "tag"), (("tag", "mail"), MAIL | INFO, "tag"),
])
def test_tag_and_facility(home, log, words, priority, tag):
    assert home.run("splogger", *words, stdin=b"x\n").returncode == 0
    assert log() == [(priority, tag + " x")]


def test_lines_go_out_as_they_come(home, log):
    child = home.start("splogger", "qmail")
    child.stdin.write(b"one\n")
    limit = time.monotonic() + 30
    while not (heard := log()):
        assert child.poll() is None and time.monotonic() < limit
        time.sleep(0.01)
    assert heard == [(MAIL | INFO, "qmail one")]
    child.communicate()
    assert child.returncode == 0


def test_without_a_log_daemon_lines_are_lost_and_that_is_all(home):
    if os.path.exists(LOG):
        pytest.skip(f"there is a log daemon at {LOG}")
    done = home.run("splogger", "qmail", stdin=b"x\n" * 10000)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("text", "number"), [("2", 16), ("10x", 80), ("0", 0), ("x", 16), ("", 16), ("127", 1016), ("128", 16), ("-1", 16), ("9" * 30, 16)])
def test_facility(text, number):
    assert facility(text) == number


def test_stamp():
    assert re.fullmatch(r"\d{10}\.\d{6}", stamp())
