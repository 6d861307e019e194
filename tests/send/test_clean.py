"""Requests to qmail-clean."""

import os

import pytest

from qmailpy.send.clean import Cleaner, Lost
from tests.send.queue import Lines


@pytest.fixture
def pipes():
    ends = [*os.pipe(), *os.pipe()]
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError:
            pass


def test_many_requests_under_way_are_answered_in_their_order(pipes):
    orders, to, source, answers = pipes
    log, heard = Lines(), []
    cleaner = Cleaner(to, source, log)
    for number, ask in enumerate((cleaner.envelope, cleaner.message, cleaner.envelope, cleaner.message), 5):
        ask(number, lambda number, good: heard.append((number, good)))
    assert not heard
    cleaner.flush()
    assert os.read(orders, 100) == b"todo/5\0foop/6\0todo/7\0foop/8\0"  # one write
    os.write(answers, b"++!")
    cleaner.read()
    assert heard == [(5, True), (6, True), (7, False)]
    assert not cleaner.idle
    os.write(answers, b"x")
    cleaner.read()
    assert heard[3:] == [(8, False)]
    assert cleaner.idle
    log.flush()
    assert log.lines == ["warning: qmail-clean unable to clean up todo/7", "warning: qmail-clean unable to clean up foop/8"]


def test_a_cleaner_that_does_not_read_holds_nothing_up(pipes):
    orders, to, source, _ = pipes
    cleaner = Cleaner(to, source, Lines())
    for number in range(20000):
        cleaner.message(number, lambda number, good: None)
    cleaner.flush()
    assert cleaner.pending
    got = b""
    while cleaner.pending:
        got += os.read(orders, 65536)
        cleaner.flush()
    os.set_blocking(orders, False)
    assert (got + os.read(orders, 65536)).split(b"\0")[:-1] == [b"foop/%d" % number for number in range(20000)]


def test_a_cleaner_that_has_gone(pipes):
    orders, to, source, answers = pipes
    cleaner = Cleaner(to, source, Lines())
    cleaner.message(1, lambda number, good: None)
    os.close(orders)
    with pytest.raises(Lost):
        cleaner.flush()
    os.close(answers)
    with pytest.raises(Lost):
        cleaner.read()
    assert not cleaner.alive
