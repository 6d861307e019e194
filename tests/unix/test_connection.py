"""A client on two pipes."""

import fcntl
import os
import threading

import pytest

from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.fds import BLOCK, TimedOut


@pytest.fixture
def pipes():
    ends = [*os.pipe(), *os.pipe()]
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            pass


def test_replies_go_out_before_the_next_read(pipes):
    source, ours, theirs, target = pipes
    connection = Connection(source, target, 5)
    connection.say(b"a")
    connection.say_all([b"b", b"c"])
    os.write(ours, b"hello")
    assert connection.read() == b"hello"
    assert os.read(theirs, 10) == b"abc"


def test_many_replies_go_out_by_themselves_so_that_no_memory_is_needed_for_them(pipes):
    source, _, theirs, target = pipes
    os.set_blocking(theirs, False)
    connection = Connection(source, target, 5)
    connection.say(b"x" * (BLOCK - 1))
    with pytest.raises(BlockingIOError):
        os.read(theirs, 1)
    connection.say(b"x")
    assert os.read(theirs, 2 * BLOCK) == b"x" * BLOCK


def test_silence_and_slow_drip(pipes):
    source, ours, _, target = pipes
    with pytest.raises(TimedOut):
        Connection(source, target, 0.05).read()
    connection = Connection(source, target, 60)
    connection.within(0.05)
    os.write(ours, b"x")
    assert connection.read() == b"x"
    with pytest.raises(TimedOut):
        connection.read()
    connection.within(None)
    os.write(ours, b"y")
    assert connection.read() == b"y"


def test_a_client_that_goes(pipes):
    source, ours, theirs, target = pipes
    connection = Connection(source, target, 5)
    os.close(ours)
    with pytest.raises(Gone):
        connection.read()
    os.close(theirs)
    connection.say(b"x")
    with pytest.raises(Gone):
        connection.flush()


def test_a_client_that_does_not_read(pipes):
    source, _, _, target = pipes
    connection = Connection(source, target, 0.05)
    with pytest.raises(TimedOut):
        connection.say(b"x" * 300000)
    connection.say(b"a few words")
    with pytest.raises(TimedOut):
        connection.flush()
    assert not fcntl.fcntl(target, fcntl.F_GETFL) & os.O_NONBLOCK
    assert not fcntl.fcntl(source, fcntl.F_GETFL) & os.O_NONBLOCK


def test_a_slow_reader_gets_everything(pipes):
    source, _, theirs, target = pipes
    got = []

    def read():
        while sum(map(len, got)) < 300000:
            got.append(os.read(theirs, 1000))

    thread = threading.Thread(target=read)
    thread.start()
    connection = Connection(source, target, 10)
    connection.say(b"x" * 300000)
    connection.flush()
    thread.join()
    assert b"".join(got) == b"x" * 300000
