"""qmail-send as a process in a whole home: killed at any moment, nothing is lost."""

import os
import re
import signal

import pytest

from qmailpy.queue.paths import Paths
from tests.home import messages, wait_for
from tests.send.queue import put


@pytest.fixture
def home(single):
    single.run("maildirmake", str(single.path / "alias/Maildir"))
    (single.path / "alias/.qmail-default").write_text("./Maildir/\n")
    return single


def delivered(home):
    return {message.partition(b"Subject: ")[2].partition(b"\n")[0] for message in messages(home.path / "alias/Maildir")}


def inject(home, count):
    for number in range(count):
        home.run("qmail-inject", "x@test.example", input=b"Subject: %d\n\n" % number)
    return {b"%d" % number for number in range(count)}


def test_a_killed_daemon_loses_nothing(home):
    sent = inject(home, 10)
    for _ in range(6):
        home.start()
        home.log.wait("starting delivery|status: local 0/10")
        home.daemon.send_signal(signal.SIGKILL)
        home.daemon.wait()
        wait_for(lambda: not lock_is_held(home))
    home.start()
    wait_for(lambda: not home.queue_files(), lambda: f"{home.queue_files()}\n{home.log.text()}")
    assert delivered(home) == sent


def lock_is_held(home):
    import fcntl

    with open(home.path / "queue/lock/sendmutex", "wb") as mutex:
        try:
            fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_second_daemon_does_not_start(home):
    home.start()
    second = type(home)(home.path)
    with pytest.raises(AssertionError, match="qmail-send is already running"):
        second.start()
    second.daemon = None


def test_thousands_of_waiting_messages_start_quickly_and_new_mail_passes_them(home):
    paths = Paths(str(home.path / "queue"), 23)
    for number in range(10**9, 10**9 + 3000):
        put(paths, number, mess=b"Subject: old\n\n", info=b"F\0", remote=b"Tx@far.example\0")
        os.utime(paths.remote(number), (2**31, 2**31))
    home.control(concurrencyremote="0\n")
    home.start()
    inject(home, 1)
    home.log.wait("end msg", seconds=20)
    assert delivered(home) == {b"0"}


def test_a_flood_of_new_mail_does_not_keep_deliveries_waiting(home):
    sent = inject(home, 40)
    home.start()
    home.log.wait("end msg", count=40)
    lines = home.log.lines
    first_start = next(at for at, line in enumerate(lines) if line.startswith("starting delivery "))
    assert sum(line.startswith("new msg ") for line in lines[:first_start]) <= 11
    assert delivered(home) == sent


def test_it_cannot_start_without_controls(home):
    home.control(me=None, locals=None)
    done = home.run("qmail-send", status=111)
    assert done == b""


@pytest.fixture
def bouncing(home):
    """A home where mail for nobody fails at once, and bounces come to a Maildir."""
    (home.path / "alias/.qmail-nobody").write_text("|exit 100\n")
    home.control(doublebouncehost="test.example\n")
    return home


def copied(home):
    """(the bytes of the original that the one bounce has, whether the note follows them)."""
    home.log.wait("bounce msg")
    [bounce] = wait_for(lambda: messages(home.path / "alias/Maildir"))
    text = re.split(rb"--- Below this line is (?:a copy of the message|the original bounce)\.\n\nReturn-Path: <.*>\n", bounce)[1]
    copy, note, rest = text.partition(b"\n\n--- End of message stripped.\n")
    assert rest == b""
    return len(copy), bool(note)


# aio: bouncemaxbytes
@pytest.mark.parametrize(("limit", "size", "sender", "found"), [
    (None, 60000, b"joe@test.example", (50000, True)),
    (None, 50000, b"joe@test.example", (50000, False)),
    ("100\n", 101, b"joe@test.example", (100, True)),
    ("100\n", 100, b"joe@test.example", (100, False)),
    ("0\n", 1 << 20, b"joe@test.example", (1 << 20, False)),
    ("abc\n", 60000, b"joe@test.example", (50000, True)),
    ("100\n", 300, b"", (100, True)),  # a double bounce
])
def test_how_much_of_a_message_its_bounce_has(bouncing, limit, size, sender, found):
    bouncing.control(bouncemaxbytes=limit)
    put(Paths(str(bouncing.path / "queue"), 23), 10**9, mess=b"x" * size, info=b"F" + sender + b"\0", local=b"Tnobody@test.example\0")
    bouncing.start()
    assert copied(bouncing) == found


def test_hup_has_bouncemaxbytes_read_again(bouncing):
    bouncing.control(bouncemaxbytes="100\n")
    bouncing.start()
    bouncing.control(bouncemaxbytes="200\n")
    bouncing.daemon.send_signal(signal.SIGHUP)
    bouncing.run("qmail-inject", "-fjoe@test.example", "nobody@test.example", input=b"\n" + b"x" * 1000)
    assert copied(bouncing) == (200, True)
