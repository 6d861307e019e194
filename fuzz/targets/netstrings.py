"""Netstrings (text/netstring.py).

- Nothing is raised but Malformed, TooLong and Ended, and it takes a netstring's length to say what is in it: a huge length costs no memory.
- What is read is what an independent reader finds; the pieces change nothing; a netstring inside another never reaches beyond it.
"""

from __future__ import annotations

import re

from qmailpy.text.netstring import Ended, Malformed, Reader, TooLong, encoded

from fuzz.promise import deliveries, promise

WORDS = (b"0:,", b"3:abc,", b":", b",", b"200000000:", b"2000000001:", b"99999999999999999999:", b"5:2:ab,,", b"00003:abc,")
ONE = re.compile(rb"([0-9]*):", re.DOTALL)
LIMIT = 100


def check(data: bytes) -> None:
    ways = [strings(way) for way in deliveries(data)]
    promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    promise(ways[0][0] == simple(data), "other netstrings", ways[0], simple(data))
    inside(data)


def strings(parts: list[bytes]) -> tuple[list[bytes | None], str]:
    """The netstrings, and how it ended."""
    todo, found = [part for part in parts if part], []
    reader = Reader(lambda: todo.pop(0) if todo else b"")
    while True:
        try:
            found.append(reader.string(LIMIT))
        except (Malformed, TooLong, Ended) as end:
            return found, type(end).__name__


def simple(data: bytes, limit: int = LIMIT) -> list[bytes | None]:
    """The same, read another way; None for one that has `limit` bytes or more."""
    found: list[bytes | None] = []
    while (head := ONE.match(data)) and len(head[1].lstrip(b"0")) < 12:
        size, begin = int(head[1] or b"0"), head.end()
        if data[begin + size:begin + size + 1] != b",":
            break
        found.append(data[begin:begin + size] if size < limit else None)
        data = data[begin + size + 1:]
    return found


def inside(data: bytes) -> None:
    """One that holds others."""
    todo = [encoded(data) + b"5:after,"]
    reader = Reader(lambda: todo.pop(0) if todo else b"")
    reader.left = reader.length()
    try:
        while reader.left:
            reader.string(LIMIT)
    except (Malformed, TooLong):
        return
    reader.left = None
    reader.comma()
    promise(reader.string(LIMIT) == b"after", "it has read beyond its end")
