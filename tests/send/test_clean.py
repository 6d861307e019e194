"""Requests to qmail-clean."""

import os

import pytest

from qmailpy.send.clean import Cleaner, Lost


@pytest.fixture
def pipes():
    ends = [*os.pipe(), *os.pipe()]
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError:
            pass


def test_requests_and_answers(pipes):
    orders, to, source, answers = pipes
    cleaner = Cleaner(to, source)
    os.write(answers, b"++!x")
    assert cleaner.envelope(5)
    assert cleaner.message(6)
    assert not cleaner.envelope(7)
    assert not cleaner.message(8)
    assert os.read(orders, 100) == b"todo/5\0foop/6\0todo/7\0foop/8\0"


def test_a_cleaner_that_has_gone(pipes):
    _, to, source, answers = pipes
    os.close(answers)
    with pytest.raises(Lost):
        Cleaner(to, source).message(1)
