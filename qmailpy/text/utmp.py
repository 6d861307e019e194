"""Who is logged in where: the records of utmp on Linux (utmp(5))."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD = struct.Struct("<h2xi32s4s32s256s72x")  # type, pid, line, id, user, host; times and addresses do not matter here
USER_PROCESS = 7


def lines_of(user: bytes, data: bytes) -> Iterator[bytes]:
    """The terminals, below /dev, that a user is logged in at."""
    for at in range(0, len(data) - RECORD.size + 1, RECORD.size):
        kind, _, line, _, name, _ = RECORD.unpack_from(data, at)
        if kind == USER_PROCESS and name.partition(b"\0")[0] == user:
            yield line.partition(b"\0")[0]
