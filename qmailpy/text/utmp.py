"""Who is logged in where: the records of utmp on Linux (utmp(5))."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = struct.Struct("=h2xi32s4s32s")  # type, pid, line, id, user; what follows does not matter here
SIZES = (384, 400)  # bytes of a record: on most machines; where its times have 64 bits (aarch64)
USER_PROCESS, LAST_TYPE = 7, 9


def lines_of(user: bytes, data: bytes) -> Iterator[bytes]:
    """The terminals, below /dev, that a user is logged in at."""
    for kind, _, line, _, name in records(data):
        if kind == USER_PROCESS and text(name) == user:
            yield text(line)


def records(data: bytes) -> list[tuple[int, int, bytes, bytes, bytes]]:
    """The heads of all records; their size is the one by which there is a type where a record begins."""
    for size in SIZES:
        found = [HEAD.unpack_from(data, at) for at in range(0, len(data) - size + 1, size)]
        if len(data) == size * len(found) and all(0 <= kind <= LAST_TYPE for kind, *_ in found):
            return found
    return []


def text(value: bytes) -> bytes:
    """A field up to its first NUL."""
    return value.partition(b"\0")[0]
