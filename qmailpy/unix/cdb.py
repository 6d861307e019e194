"""Constant databases (cdb): lookups that distrust the file, and builds that replace it as a whole.

Builds are pure-cdb's.  Lookups are not: it takes apart the heads of all 256 tables to look into one, which costs more than the rest of a delivery's way
through qmail-lspawn.
"""

from __future__ import annotations

import io
import os
import struct

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary, is_temporary
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.files import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = 2048  # bytes: 256 pairs of position and length
PAIR = struct.Struct("<II")


class Unopenable(Temporary):
    """There is such a file, but it cannot be opened, and trying again does not help."""


class Reader:
    """One database.  Raises Temporary if it cannot be read or is damaged; a missing file is an empty database.

    Only what is asked for is read: a large table costs no more than a small one.
    """

    __slots__ = ("path", "absent", "_fd", "_size", "_heads")

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            self.absent = True
            return
        except OSError as problem:
            raise (Temporary if is_temporary(problem.errno) else Unopenable)(f"unable to open {path}: {wording(problem.errno)}") from problem
        self.absent = False
        try:
            self._size = os.fstat(self._fd).st_size
            self._heads = os.pread(self._fd, HEADER, 0)
        except OSError as problem:
            raise Temporary(f"unable to read {path}: {wording(problem.errno)}") from problem
        if len(self._heads) < HEADER:
            raise self._damaged()

    def __del__(self) -> None:
        close_quietly(self._fd)

    def get(self, key: bytes) -> bytes | None:
        """The value of the first record with this key; None if there is none."""
        if self.absent:
            return None
        code = hashed(key)
        table, slots = PAIR.unpack_from(self._heads, (code & 255) * PAIR.size)
        if table + slots * PAIR.size > self._size:
            raise self._damaged()
        for step in range(slots):
            found, record = PAIR.unpack(self._part(table + ((code >> 8) + step) % slots * PAIR.size, PAIR.size))
            if not record:
                return None
            if found == code:
                length, size = PAIR.unpack(self._part(record, PAIR.size))
                if length == len(key) and self._part(record + PAIR.size, length) == key:
                    return self._part(record + PAIR.size + length, size)
        return None

    def _part(self, at: int, size: int) -> bytes:
        """So many bytes from there."""
        try:
            data = os.pread(self._fd, size, at) if at + size <= self._size else b""
        except OSError:
            data = b""
        if len(data) < size:
            raise self._damaged()
        return data

    def _damaged(self) -> Temporary:
        return Temporary(f"{self.path} is damaged")


def hashed(key: bytes) -> int:
    """The hash function of the format."""
    code = 5381
    for byte in key:
        code = (code * 33 & 0xFFFFFFFF) ^ byte
    return code


def lookup(path: str, key: bytes) -> bytes | None:
    """The value of a key; None if it, or the file, is not there.  Raises Temporary as Reader does."""
    return Reader(path).get(key)


def build(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The bytes of a database with these records, in this order."""
    from cdblib import Writer

    out = io.BytesIO()
    with Writer(out) as writer:
        for key, value in records:
            writer.put(key, value)
    return out.getvalue()


def write(path: str, records: Iterable[tuple[bytes, bytes]], mode: int = 0o644) -> None:
    """Replace a database as a whole.  Raises OSError; then the old one is still there."""
    replace(path, build(records), mode)
