"""A client on two pipes."""

import fcntl
import os
import threading
import time

import pytest

from qmailpy.unix.connection import Connection, Gone, Over
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


class Shouting:
    """A channel that says everything in capitals."""

    def __init__(self):
        self.said, self.closed = b"", False

    def read(self, most, seconds):
        return b"READ"[:most]

    def ready(self, seconds):
        return True

    def write(self, data, seconds):
        self.said += data.upper()

    def close(self):
        self.closed = True


def test_another_channel_takes_the_place_of_the_first(pipes):
    source, _, theirs, target = pipes
    connection = Connection(source, target, 5)
    connection.say(b"a")
    connection.flush()
    connection.channel = Shouting()
    connection.say(b"b")
    assert connection.read(2) == b"RE"
    connection.say(b"c")
    connection.close()
    assert os.read(theirs, 10) == b"a"
    assert (connection.channel.said, connection.channel.closed) == (b"BC", True)


def test_whether_something_waits(pipes):
    source, ours, _, target = pipes
    connection = Connection(source, target, 5)
    assert not connection.channel.ready(0)
    os.write(ours, b"x")
    assert connection.channel.ready(5)
    assert connection.read() == b"x"
    os.close(ours)
    assert connection.channel.ready(5)


def test_what_was_said_goes_out_at_the_end_if_anybody_listens(pipes):
    source, _, theirs, target = pipes
    connection = Connection(source, target, 5)
    connection.say(b"bye")
    connection.close()
    assert os.read(theirs, 10) == b"bye"
    os.close(theirs)
    connection.say(b"bye")
    connection.close()


def test_a_session_that_takes_too_long(pipes):
    source, ours, theirs, target = pipes
    connection = Connection(source, target, 60)
    connection.until(time.monotonic() + 60)
    os.write(ours, b"x")
    assert connection.read() == b"x"
    connection.until(time.monotonic() + 0.05)
    with pytest.raises(Over):
        connection.read()
    connection.until(time.monotonic() - 1)
    connection.say(b"y")
    with pytest.raises(Over):
        connection.flush()
    connection.until(None)
    connection.say(b"last words")
    connection.close()
    assert os.read(theirs, 100) == b"last words"


def test_a_client_that_does_not_read_until_the_session_is_over(pipes):
    source, _, _, target = pipes
    connection = Connection(source, target, 60)
    connection.until(time.monotonic() + 0.05)
    with pytest.raises(Over):
        connection.say(bytes(1 << 20))


def test_silence_is_told_from_a_session_that_takes_too_long(pipes):
    source, _, _, target = pipes
    connection = Connection(source, target, 0.05)
    connection.until(time.monotonic() + 60)
    with pytest.raises(TimedOut) as silence:
        connection.read()
    assert not isinstance(silence.value, Over)


def test_when_the_time_for_reading_is_over(pipes):
    source, _, _, target = pipes
    connection = Connection(source, target, 5)
    assert connection.deadline is None
    connection.within(100)
    assert 99 < connection.deadline - time.monotonic() <= 100
    connection.within(None)
    assert connection.deadline is None
