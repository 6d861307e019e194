"""qmail-qmqpd as a process, its descriptors pipes."""

import os
import re
import time

import pytest

from qmailpy.programs.qmail_qmqpd import PATIENCE, serve
from qmailpy.settings.table import SETTINGS
from qmailpy.text.netstring import encoded
from qmailpy.text.received import Client
from qmailpy.unix.connection import Connection
from tests.checkout import LittleHome, feed, peak_memory
from tests.netstrings import joined, qmqp, replies
from tests.smtp.world import FakeWorld


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def test_one_message_for_whatever_recipients(home):
    home.control(rcpthosts="ours.example\n", databytes="1\n")  # they do not count here
    done = home.run("qmail-qmqpd", stdin=qmqp(recipients=[b"c@else.example", b"d"]) + b"what follows is not looked at", TCPREMOTEINFO="joe", TCPLOCALIP="192.0.2.9")
    assert (done.returncode, done.stderr) == (0, b"")
    [said] = replies(done.stdout)
    assert re.fullmatch(rb"Kok \d+ qp \d+", said)
    message, envelope = home.queued()
    assert re.fullmatch(rb"Received: from unknown \(joe@unknown\)\n  by 192\.0\.2\.9 with QMQP; [^\n]* -0000\nSubject: x\n\nbody\n", message)
    assert envelope == b"Fa@b.example\0Tc@else.example\0Td\0\0"


def test_it_ends_after_its_reply_without_waiting_for_the_client(home):
    child = home.start("qmail-qmqpd")
    feed(child.stdin, qmqp())
    assert replies(child.stdout.read(1000))[0].startswith(b"Kok ")
    assert child.wait(20) == 0
    child.communicate()


@pytest.mark.parametrize(("said", "status"), [
    (b"", 0), (qmqp()[:-1], 0), (qmqp()[:-20], 0), (b"EHLO x\r\n", 100), (b"3:0:,,", 100), (qmqp()[:-1] + b";", 100), (b"9" * 100000, 111), (b"0" * 101, 100),
    (encoded(joined(b"x", b"a@b") + b"999:c"), 100), (encoded(b"99999:x"), 100),
])
def test_what_is_no_message_gets_no_reply_and_queues_nothing(home, said, status):
    done = home.run("qmail-qmqpd", stdin=said)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")
    assert home.queued() is None or home.queued()[1] == b""


@pytest.mark.parametrize("package", [qmqp(sender=b"a\n@b"), qmqp(recipients=[b"c", b"d\0e"]), qmqp(recipients=[b"x" * 1000, b"c"])])
def test_one_bad_address_and_nothing_is_queued(home, package):
    done = home.run("qmail-qmqpd", stdin=package)
    assert replies(done.stdout) == [b"Dsorry, I can't accept addresses like that (#5.1.3)"]
    assert home.queued()[1] == b""


@pytest.mark.parametrize(("code", "says", "reply"), [(31, "", b"Dmail server permanently rejected message (#5.3.0)"), (82, "Zlater (#4.7.1)", b"Zlater (#4.7.1)")])
def test_what_the_queue_program_says(home, code, says, reply):
    home.queue_exits(code, says)
    assert replies(home.run("qmail-qmqpd", stdin=qmqp()).stdout) == [reply]


@pytest.mark.parametrize("where", ["message", "sender", "recipient"])
def test_a_large_message_needs_little_memory(home, where):
    """100 MB pass, wherever they stand."""
    home.program("recorder", '#!/bin/sh\nwc -c > "$0.size"; cat <&1 > /dev/null\n')
    size, block = 100_000_000, b"x" * 1_000_000
    before, behind = {
        "message": (b"%d:" % size, b"," + joined(b"a@b", b"c")), "sender": (encoded(b"x") + b"%d:" % size, b"," + encoded(b"c")),
        "recipient": (joined(b"x", b"a@b") + b"%d:" % size, b","),
    }[where]
    child = home.start("qmail-qmqpd")
    feed(child.stdin, b"%d:" % (len(before) + size + len(behind)) + before)
    for _ in range(size // len(block)):
        feed(child.stdin, block)
    peak = peak_memory(child)
    feed(child.stdin, behind + b",")
    [said] = replies(child.stdout.read(1000))
    child.communicate()
    assert peak < 40000  # KiB
    assert said[:1] == (b"K" if where == "message" else b"D")
    if where == "message":
        assert int((home.path / "bin/recorder.size").read_text()) > size


@pytest.mark.parametrize(("patience", "seconds"), [(0.1, 60), (60, 0.1)])
def test_a_silent_client_is_not_waited_for_nor_one_that_never_ends(patience, seconds):
    world, begin, (source, client) = FakeWorld(), time.monotonic(), os.pipe()
    os.write(client, qmqp()[:-3])
    assert serve(Connection(source, 1, patience), Client(), world, seconds) == 111
    assert time.monotonic() < begin + 30
    assert (world.queued, world.abandoned) == ([], 1)
    os.close(source)
    os.close(client)


def test_no_queue_to_be_had():
    source, client = os.pipe()
    os.write(client, qmqp())
    assert serve(Connection(source, 1, 10), Client(), FakeWorld(broken=True), 60) == 111
    os.close(source)
    os.close(client)


def test_a_connection_that_takes_too_long(home):
    home.control(timeoutqmtpd="1\n")
    child, begin = home.start("qmail-qmqpd"), time.monotonic()
    feed(child.stdin, qmqp()[:-3])
    assert child.wait(20) == 111
    assert time.monotonic() < begin + 20
    assert child.communicate() == (b"", b"")


def test_the_usual_limit_is_that_of_the_table():
    assert SETTINGS["timeoutqmtpd"].default == PATIENCE


def test_a_control_file_that_cannot_be_read(home):
    (home.path / "control/timeoutqmtpd").mkdir()
    done = home.run("qmail-qmqpd", stdin=qmqp())
    assert (done.returncode, done.stdout) == (111, b"") and home.queued() is None
