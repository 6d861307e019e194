"""Waiting for descriptors."""

import os
import time

from qmailpy.unix.poll import Poll


def test_reading_writing_and_ends():
    read, write = os.pipe()
    poll = Poll()
    poll.add(read)
    assert list(poll.wait(0)) == []
    os.write(write, b"x")
    assert list(poll.wait()) == [read]
    os.read(read, 1)
    poll.add(write, write=True)
    assert list(poll.wait()) == [write]
    poll.drop(write)
    os.close(write)
    assert list(poll.wait()) == [read]
    poll.drop(read)
    poll.drop(read)
    assert list(poll.wait(0)) == []
    os.close(read)


def test_a_wait_ends_in_time_and_not_before():
    begin = time.monotonic()
    assert list(Poll().wait(0.05)) == []
    assert 0.05 <= time.monotonic() - begin < 5
