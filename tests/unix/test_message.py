"""A message in two parts, however the bytes come."""

import os

import pytest

from qmailpy.exits import Permanent, Temporary
from qmailpy.unix import message
from qmailpy.unix.message import Message


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """(fields, body) of a message that comes in blocks of a size."""
    def read(text, size=65536):
        monkeypatch.setattr(message, "BLOCK", size)
        (tmp_path / "message").write_bytes(text)
        fd = os.open(tmp_path / "message", os.O_RDONLY)
        try:
            found = Message(fd)
            return list(found.fields()), b"".join(found.body())
        finally:
            os.close(fd)

    return read


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 65536])
@pytest.mark.parametrize(("text", "fields", "body"), [
    (b"", [], b""),
    (b"\n", [], b"\n"),
    (b"A: 1\n", [b"A: 1\n"], b""),
    (b"A: 1", [b"A: 1\n"], b""),
    (b"A: 1\nB: 2\n\nbody\n", [b"A: 1\n", b"B: 2\n"], b"\nbody\n"),
    (b"A: 1\n\nbody", [b"A: 1\n"], b"\nbody\n"),
    (b"A: 1\n\n\n\nbody\n\n", [b"A: 1\n"], b"\n\n\nbody\n\n"),
    (b"A: 1\n\n", [b"A: 1\n"], b"\n"),
    (b"A: 1\n 2\n\t3\nB:\n\n", [b"A: 1\n 2\n\t3\n", b"B:\n"], b"\n"),
    (b"A: 1\n 2", [b"A: 1\n 2\n"], b""),
    (b"A: 1\nno field\nB: 2\n", [b"A: 1\n"], b"\nno field\nB: 2\n"),
    (b"no field", [], b"\nno field\n"),
    (b" blank first\nA: 1\n", [], b"\n blank first\nA: 1\n"),
    (b": no name\n", [], b"\n: no name\n"),
    (b"A b: 1\n", [], b"\nA b: 1\n"),
    (b"A \t: 1\n", [b"A \t: 1\n"], b""),
    (b"\xc3: 1\n", [], b"\n\xc3: 1\n"),
    (b"From s@x Thu\nA: 1\n\nFrom s@x\n", [b"MBOX-Line: From s@x Thu\n", b"A: 1\n"], b"\nFrom s@x\n"),
    (b"A: 1\r\n\r\nbody\r\n", [b"A: 1\r\n"], b"\n\r\nbody\r\n"),
    (b"A: \0\n\n\0", [b"A: \0\n"], b"\n\0\n"),
])
def test_where_the_header_ends(parts, text, fields, body, size):
    assert parts(text, size) == (fields, body)


def test_the_body_comes_in_blocks(tmp_path):
    (tmp_path / "message").write_bytes(b"A: 1\n\n" + bytes(1 << 20))
    fd = os.open(tmp_path / "message", os.O_RDONLY)
    found = Message(fd)
    list(found.fields())
    sizes = [len(block) for block in found.body()]
    os.close(fd)
    assert sum(sizes) == (1 << 20) + 2
    assert max(sizes) <= 65536


def test_the_header_has_a_limit_and_the_body_has_not(parts, monkeypatch):
    monkeypatch.setattr(message, "HEADER_LIMIT", 1000)
    assert len(parts(b"A: " + b"x" * 995 + b"\n\n" + b"x" * 5000, 100)[1]) == 5002
    for text in (b"A: " + b"x" * 2000, b"A: 1\n" * 300):
        with pytest.raises(Permanent, match="header is longer than 1000 bytes"):
            parts(text, 100)


def test_what_cannot_be_read(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(Temporary, match="^read error$"):
        list(Message(fd).fields())
    os.close(fd)
