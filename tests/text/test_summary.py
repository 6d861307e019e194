"""Messages in a line."""

import pytest

from qmailpy.text.summary import beginning, printable, value


@pytest.mark.parametrize(("field", "found"), [
    (b"Subject: x y\n", b"x y"), (b"Subject:\t\r\n x\n y\n", b"x\n y"), (b"Subject \t:x:z", b"x:z"), (b"Subject:\n", b""), (b"Subject: x\n\n", b"x\n"), (b"none\n", b""),
])
def test_the_value_of_a_field(field, found):
    assert value(field) == found


def test_only_printable_bytes_stay():
    assert printable(bytes(range(256)), b"_") == b"_" * 32 + bytes(range(32, 127)) + b"_" * 129


@pytest.mark.parametrize(("body", "text"), [
    ([], b"hi/"), ([b""], b"hi/"), ([b"\n", b"one\n"], b"hi//one/"), ([b"\n", b"one\ntwo\nthree\n"], b"hi//one/tw"), ([b"1234567", b"8"], b"hi/1234567"),
    ([b"\x1b[2J\xff"], b"hi//[2J/"),
])
def test_the_beginning(body, text):
    assert beginning(b"hi\n", body, 10) == text


def test_no_more_is_read_than_is_shown():
    blocks = iter([b"12345", b"67890", b"rest"])
    assert beginning(b"", blocks, 10) == b"1234567890"
    assert next(blocks) == b"rest"
