"""Records of utmp, of both sizes."""

import struct

import pytest

from qmailpy.text.utmp import SIZES, lines_of

BOOT, LOGGED_IN, LOGGED_OUT = 2, 7, 8


def record(size, kind, line, user, host=b"client.example"):
    head = struct.pack("=hxxi32s4s32s256s", kind, 4711, line, b"ts/0", user, host)
    # Exit codes, session, and a date in seconds and microseconds: four bytes each, or eight.
    times = struct.pack("=4xiii16s", 4711, 1795550000, 123456, b"\xc0\0\2\1") if size == SIZES[0] else struct.pack("=4xqqq16s", 4711, 1795550000, 123456, b"\xc0\0\2\1")
    return (head + times).ljust(size, b"\0")


def utmp(size, *entries):
    return b"".join(record(size, *entry) for entry in entries)


@pytest.mark.parametrize("size", SIZES)
def test_the_terminals_of_a_user(size):
    data = utmp(size, (BOOT, b"~", b"reboot"), (LOGGED_IN, b"pts/0", b"joe"), (LOGGED_IN, b"tty1", b"ann"), (LOGGED_OUT, b"pts/1", b"joe"), (LOGGED_IN, b"tty2", b"joe"))
    assert list(lines_of(b"joe", data)) == [b"pts/0", b"tty2"]
    assert list(lines_of(b"ann", data)) == [b"tty1"]
    assert list(lines_of(b"jo", data)) == list(lines_of(b"", data)) == []


def test_names_that_fill_their_fields():
    assert list(lines_of(b"u" * 32, utmp(384, (LOGGED_IN, b"l" * 32, b"u" * 32)))) == [b"l" * 32]
    assert list(lines_of(b"u" * 33, utmp(384, (LOGGED_IN, b"l" * 32, b"u" * 32)))) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", range(1, 76))
def test_the_size_shows_in_the_file_itself(size, count):
    """Also where both sizes divide the length: 25 records of 384 bytes are as long as 24 of 400."""
    entries = [(LOGGED_IN, b"pts/%d" % number, b"joe") for number in range(count)]
    assert list(lines_of(b"joe", utmp(size, *entries))) == [line for _, line, _ in entries]


@pytest.mark.parametrize("data", [b"", b"x", bytes(383), utmp(384, (LOGGED_IN, b"pts/0", b"joe"))[:-1], b"\xff" * 384 * 400])
def test_what_is_no_utmp(data):
    assert list(lines_of(b"joe", data)) == []
