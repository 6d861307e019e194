"""A message in a line or two, for a terminal: what qbiff and maildirwatch show."""

from __future__ import annotations


def value(field: bytes) -> bytes:
    """What follows a field's name and the blanks behind it, without the newline at its end."""
    return field.partition(b":")[2].lstrip(b" \t\r\n").removesuffix(b"\n")


def printable(text: bytes, other: bytes) -> bytes:
    """The text with `other` for each byte that is not printable ASCII: nothing in it can command a terminal."""
    return bytes(byte if 32 <= byte <= 126 else other[0] for byte in text)


def beginning(subject: bytes, body: bytes, limit: int) -> bytes:
    """Subject and body in one line, cut at `limit`; a slash is a line's end."""
    return printable((subject + body)[:limit], b"/")
