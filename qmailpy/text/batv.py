"""Signed senders (aio: BATV): `prvs=` key digit, day, six hex digits of an MD5, `=`, address.

The host that signs is the one that checks, so nobody else need understand the tag.
"""

from __future__ import annotations

PREFIX, KEY_DIGIT = b"prvs=", b"0"
DAY_SECONDS, DAYS = 86400, 1000  # the day is told modulo 1000
HEAD = len(b"prvs=0ddd")
TAG = HEAD + 7  # bytes before the address: the head, six hex digits, an equals sign


def today(now: int) -> int:
    """The day of a time in seconds since 1970."""
    return now // DAY_SECONDS


def digest(head: bytes, address: bytes, key: bytes) -> bytes:
    """The six hex digits for a tag's key digit and day."""
    from _md5 import md5  # not hashlib: it costs milliseconds at import, and may be told to forbid MD5

    found: str = md5(head + address + key, usedforsecurity=False).hexdigest()
    return found[:6].encode()


def signed(address: bytes, key: bytes, day: int) -> bytes:
    """The address with a tag of that day."""
    head = KEY_DIGIT + b"%03d" % (day % DAYS)
    return PREFIX + head + digest(head, address, key) + b"=" + address


def unsigned(address: bytes, key: bytes, day: int, stale: int) -> bytes | None:
    """The address without its tag; None if it has none that was made with `key` at most `stale` days before `day`."""
    head, told, rest = address[len(PREFIX):HEAD], address[HEAD:TAG - 1], address[TAG:]
    if not address.startswith(PREFIX + KEY_DIGIT) or not head.isdigit() or len(head) < HEAD - len(PREFIX) or address[TAG - 1:TAG] != b"=":
        return None
    if (day - int(head[1:])) % DAYS > stale or told.lower() != digest(head, rest, key):
        return None
    return rest
