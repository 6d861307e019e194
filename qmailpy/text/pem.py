"""Text around keys (RFC 7468): as much of it as tells how long DH parameters are."""

from __future__ import annotations

from binascii import Error, a2b_base64

BEGIN, END = b"DH PARAMETERS-----", b"-----END "  # the first with -----BEGIN or, for another form, -----BEGIN X9.42 before it
SEQUENCE, INTEGER = 0x30, 0x02
LONG = 0x80  # a length of more than one byte


def dh_bits(data: bytes) -> int | None:
    """The bits of the prime in a PEM file of DH parameters (PKCS #3 or X9.42); None if there is none."""
    _, begin, rest = data.partition(BEGIN)
    inner, end, _ = rest.partition(END)
    if not begin or not end:
        return None
    try:
        parameters = element(a2b_base64(inner), SEQUENCE)
        return int.from_bytes(element(parameters, INTEGER), "big").bit_length()
    except (Error, ValueError):
        return None


def element(data: bytes, kind: int) -> bytes:
    """The content of the DER element that `data` begins with.  Raises ValueError if it is not of that kind, or not whole."""
    if len(data) < 2 or data[0] != kind:
        raise ValueError("another element")
    at, length = 2, data[1]
    if length & LONG:
        at += length & ~LONG
        length = int.from_bytes(data[2:at], "big")
    if len(data) < at + length:
        raise ValueError("cut off")
    return data[at:at + length]
