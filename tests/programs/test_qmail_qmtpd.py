"""qmail-qmtpd as a process, its descriptors pipes."""

import os
import re
import time

import pytest

from qmailpy.programs.qmail_qmtpd import serve
from qmailpy.smtp.qmtp import QmtpServer
from qmailpy.text.netstring import Reader, encoded
from qmailpy.text.received import Client
from qmailpy.unix.connection import Connection
from tests.checkout import LittleHome, feed, peak_memory
from tests.netstrings import joined, qmtp, replies
from tests.smtp.world import FakeWorld, values

SIZER = '#!/bin/sh\nwc -c > "$0.size.new"; cat <&1 > /dev/null; mv "$0.size.new" "$0.size"\n'


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    found.control(rcpthosts="ours.example\n")
    return found


def test_messages_until_the_client_goes(home):
    done = home.run("qmail-qmtpd", stdin=qmtp() + qmtp(b"\r1\r\n2\r\n", recipients=[b"d@else.example", b"e@OURS.example"]), TCPREMOTEIP="192.0.2.7")
    assert (done.returncode, done.stderr) == (0, b"")
    first, strange, second = replies(done.stdout)
    assert re.fullmatch(rb"Kok \d+ qp \d+", first) and re.fullmatch(rb"Kok \d+ qp \d+", second)
    assert strange == b"Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
    message, envelope = home.queued()
    assert re.fullmatch(rb"Received: from unknown \(192\.0\.2\.7\)\n  by unknown with QMTP; [^\n]* -0000\n1\n2\n", message)
    assert envelope == b"Fa@b.example\0Te@OURS.example\0\0"


def test_the_replies_come_before_more_is_said(home):
    child = home.start("qmail-qmtpd")
    for _ in range(2):
        feed(child.stdin, qmtp())
        assert replies(child.stdout.read(1000))[0].startswith(b"Kok ")
    child.communicate()
    assert child.returncode == 0


@pytest.mark.parametrize(("said", "status"), [
    (b"", 0), (qmtp()[:-1], 0), (qmtp()[:-30], 0), (b"99:\nx", 0), (b"GET / HTTP/1.0\r\n\r\n", 100), (b"0:,", 100), (b"1:\n;", 100), (b"-1:\n,", 100),
    (b"9" * 100000, 111), (b"2:\nx,999999999999:x", 111), (joined(b"\nx", b"a@b") + b"5:99:xx", 100),
])
def test_what_is_no_message_gets_no_reply_and_queues_nothing(home, said, status):
    done = home.run("qmail-qmtpd", stdin=said)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")
    assert home.queued() is None or home.queued()[1] == b""


@pytest.mark.parametrize(("env", "reply", "envelope"), [
    ({"DATABYTES": "3"}, b"Dsorry, that message size exceeds my databytes limit (#5.3.4)", b""),
    ({"RELAYCLIENT": "@gw"}, b"Kok ", b"Fa@b.example\0Td@else.example@gw\0\0"),
    ({"QMAILQUEUE": "/nowhere", "RELAYCLIENT": ""}, b"Zunable to exec qq (#4.3.0)", b""),
])
def test_variables(home, env, reply, envelope):
    [said] = replies(home.run("qmail-qmtpd", stdin=qmtp(recipients=[b"d@else.example"] if "RELAYCLIENT" in env else [b"c@ours.example"]), **env).stdout)
    assert said.startswith(reply)
    assert (home.queued() or (b"", b""))[1] == envelope


def test_what_the_queue_program_says(home):
    home.queue_exits(82, "Dno thanks (#5.7.1)")
    assert replies(home.run("qmail-qmtpd", stdin=qmtp()).stdout) == [b"Dno thanks (#5.7.1)"]


def test_control_files_that_cannot_be_read(home):
    (home.path / "control/databytes").mkdir()
    done = home.run("qmail-qmtpd", stdin=qmtp())
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"")


@pytest.mark.parametrize("where", ["message", "sender", "recipient"])
def test_a_large_message_needs_little_memory(home, where):
    """100 MB pass, wherever they stand."""
    home.program("recorder", SIZER)
    size, block = 100_000_000, b"x" * 1_000_000
    before, behind = {
        "message": (b"%d:\n" % (size + 1), b"," + joined(b"a@b", encoded(b"c@ours.example"))),
        "sender": (encoded(b"\nx") + b"%d:" % size, b"," + encoded(encoded(b"c@ours.example"))),
        "recipient": (joined(b"\nx", b"a@b") + b"%d:%d:" % (size + 11, size), b",,"),
    }[where]
    child = home.start("qmail-qmtpd")
    feed(child.stdin, before)
    for _ in range(size // len(block)):
        feed(child.stdin, block)
    feed(child.stdin, behind)
    [said] = replies(child.stdout.read(1000))
    assert peak_memory(child) < 40000  # KiB
    child.communicate()
    assert said[:1] == (b"K" if where == "message" else b"D")
    if where == "message":
        assert int((home.path / "bin/recorder.size").read_text()) > size


def connected(world, patience, *, said=b""):
    """A server in this process whose client has said something; what the client reads from."""
    (source, client), (listen, target) = os.pipe(), os.pipe()
    os.write(client, said)
    connection = Connection(source, target, patience)
    return QmtpServer(Reader(connection.read), values(), Client(), world), connection, (source, client, listen, target)


@pytest.mark.parametrize(("patience", "seconds"), [(0.1, 60), (60, 0.1)])
def test_a_silent_client_is_not_waited_for_nor_one_that_never_ends(patience, seconds):
    world, begin = FakeWorld(), time.monotonic()
    server, connection, fds = connected(world, patience, said=qmtp()[:-3])
    assert serve(server, connection, seconds) == 111
    assert time.monotonic() < begin + 30
    assert (world.queued, world.abandoned) == ([], 1)
    for fd in fds:
        os.close(fd)


def test_a_client_that_does_not_read_its_replies():
    world = FakeWorld(verdict="D" + "x" * 10000)
    server, connection, fds = connected(world, 0.1, said=qmtp(recipients=[b"r"] * 100))
    assert serve(server, connection, 60) == 111
    for fd in fds:
        os.close(fd)


def test_a_connection_that_takes_too_long(home):
    home.control(timeoutqmtpd="1\n")
    child, begin = home.start("qmail-qmtpd"), time.monotonic()
    feed(child.stdin, qmtp()[:-3])
    assert child.wait(20) == 111
    assert time.monotonic() < begin + 20
    assert child.communicate() == (b"", b"")
