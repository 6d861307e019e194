"""qmail's wording for errors."""

import errno

import pytest

from qmailpy.errnotext import WORDS, wording


@pytest.mark.parametrize(("number", "text"), [
    (errno.ENOENT, "file does not exist"), (errno.EACCES, "access denied"), (errno.EPERM, "permission denied"), (errno.EAGAIN, "temporary failure"),
    (errno.ENOSPC, "out of disk space"), (errno.ECONNREFUSED, "connection refused"), (errno.ETIMEDOUT, "timed out")])
def test_wording(number, text):
    assert wording(number) == text


@pytest.mark.parametrize("number", [None, 0, -1, 99999])
def test_other_numbers(number):
    assert wording(number) == "unknown error"


def test_each_wording_fits_into_a_log_line():
    assert all(text and text.isascii() and text.isprintable() for text in WORDS.values())
