"""Addresses as they stand in header fields and SMTP commands, with as few quotes as RFC 822 allows."""

from __future__ import annotations

PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.")
ESCAPED = b'\\"\r\n'


def needs_quotes(box: bytes) -> bool:
    """Whether a local part can only be written in quotes."""
    return not box or not PLAIN.issuperset(box) or box.startswith(b".") or box.endswith(b".") or b".." in box


def in_quotes(text: bytes) -> bytes:
    """The quoted string that means `text`."""
    for byte in ESCAPED:
        text = text.replace(b"%c" % byte, b"\\%c" % byte)
    return b'"%s"' % text


def quoted(address: bytes) -> bytes:
    """An address with its local part in quotes where it needs them; the empty address stays empty."""
    if not address:
        return b""
    box, at, host = address.rpartition(b"@")
    if not at:
        box, host = address, b""
    return (in_quotes(box) if needs_quotes(box) else box) + at + host
