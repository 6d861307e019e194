"""A message in a line or two, for a terminal: what qbiff and maildirwatch show."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def value(field: bytes) -> bytes:
    """What follows a field's name and the blanks behind it, without the newline at its end."""
    return field.partition(b":")[2].lstrip(b" \t\r\n").removesuffix(b"\n")


def printable(text: bytes, other: bytes) -> bytes:
    """The text with `other` for each byte that is not printable ASCII: nothing in it can command a terminal."""
    return bytes(byte if 32 <= byte <= 126 else other[0] for byte in text)


def beginning(subject: bytes, body: Iterable[bytes], limit: int) -> bytes:
    """Subject and body, which comes in blocks, in one line, cut at `limit` bytes; a slash is a line's end."""
    text = subject
    for block in body:
        text += block
        if len(text) >= limit:
            break
    return printable(text[:limit], b"/")
