"""IP addresses as people write them, and as bytes: IPv4 in dots, IPv6 as in RFC 4291 section 2.2."""

from __future__ import annotations

HEX = b"0123456789abcdefABCDEF"
MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address that is written as IPv6


def packed(text: bytes) -> bytes | None:
    """The 4 or 16 bytes of an address; 4 also where IPv6 only maps IPv4 (::ffff:192.0.2.1); None if it is none."""
    if b":" not in text:
        return packed_ipv4(text)
    found = packed_ipv6(text)
    return found[12:] if found is not None and found.startswith(MAPPED) else found


def packed_ipv4(text: bytes) -> bytes | None:
    """The bytes of four numbers between dots; leading zeros do no harm, and do not make a number octal."""
    parts = text.split(b".")
    if len(parts) != 4 or not all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        return None
    return bytes(map(int, parts))


def packed_ipv6(text: bytes) -> bytes | None:
    """The 16 bytes of an IPv6 address, without a zone."""
    head, double, tail = text.partition(b"::")
    if double and b"." in head:
        return None  # IPv4 can only be at the end
    before, after = groups(head), groups(tail)
    if before is None or after is None:
        return None
    missing = 16 - len(before) - len(after)
    if missing < 2 if double else missing:
        return None
    return before + bytes(missing) + after


def groups(text: bytes) -> bytes | None:
    """The bytes of groups between colons, of which the last may be an IPv4 address; None if they are none."""
    found = b""
    parts = text.split(b":") if text else []
    last = packed_ipv4(parts.pop()) if parts and b"." in parts[-1] else b""
    for part in parts:
        if not 1 <= len(part) <= 4 or part.strip(HEX):
            return None
        found += int(part, 16).to_bytes(2, "big")
    return None if last is None else found + last
