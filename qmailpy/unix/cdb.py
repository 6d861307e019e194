"""Constant databases (cdb, cr.yp.to/cdb/cdb.txt): look-ups that distrust the file; builds, with pure-cdb, that replace it as a whole."""

from __future__ import annotations

import io
import os
import struct
from itertools import accumulate

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary, is_temporary
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.files import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = 2048  # bytes: 256 pairs of position and length
INDEX, PAIR = struct.Struct("<512L"), struct.Struct("<2L")


class Unopenable(Temporary):
    """There is such a file, but it cannot be opened, and trying again does not help."""


class Reader:
    """One database.  Raises Temporary if it cannot be read or is damaged; a missing file is an empty database.

    Nothing that the file says is believed: what a look-up reads must lie where it can be, and no look-up takes more steps than
    its hash table has slots.  What is read stays in the file, so that a large table costs no more memory than a small one.
    """

    __slots__ = ("path", "absent", "_fd", "_size", "_index")

    def __init__(self, path: str) -> None:
        self.path, self._fd = path, -1
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            self.absent = True
            return
        except OSError as problem:
            raise (Temporary if is_temporary(problem.errno) else Unopenable)(f"unable to open {path}: {wording(problem.errno)}") from problem
        self.absent = False
        self._size = os.fstat(self._fd).st_size
        self._index = INDEX.unpack(self._bytes(0, HEADER))
        self._check_tables()

    def __del__(self) -> None:
        if self._fd >= 0:
            close_quietly(self._fd)

    def get(self, key: bytes) -> bytes | None:
        """The value of the first record with this key; None if there is none."""
        if self.absent:
            return None
        number = hash_of(key)
        begin, slots = self._index[2 * (number & 255):][:2]
        for step in range(slots):
            found, record = PAIR.unpack(self._bytes(begin + PAIR.size * (((number >> 8) + step) % slots), PAIR.size))
            if not record:
                return None
            if (found ^ number) & 255:
                raise self._damaged()  # such a hash has its place in another table
            if found == number and (value := self._value(record, key, number)) is not None:
                return value
        if slots:
            raise self._damaged()  # there is always an empty slot
        return None

    def _value(self, record: int, key: bytes, number: int) -> bytes | None:
        """The value of the record at a place, if it has this key; it must have one with this hash."""
        key_size, value_size = PAIR.unpack(self._bytes(record, PAIR.size))
        begin = record + PAIR.size
        if record < HEADER or begin + key_size + value_size > self._size:
            raise self._damaged()
        there = self._bytes(begin, key_size)
        if there == key:
            return self._bytes(begin + key_size, value_size)
        if hash_of(there) != number:
            raise self._damaged()
        return None

    def _check_tables(self) -> None:
        """The hash tables lie one behind the other, up to the end of the file: what was cut off, or has a hole in its header, is told by that."""
        begins, slots = self._index[::2], self._index[1::2]
        places = tuple(accumulate(map(PAIR.size.__mul__, slots), initial=begins[0]))  # no loop: this comes before every look-up
        if begins[0] < HEADER or places != (*begins, self._size):
            raise self._damaged()

    def _bytes(self, begin: int, size: int) -> bytes:
        """What stands there, all of it."""
        try:
            data = os.pread(self._fd, size, begin)
        except OSError as problem:
            raise Temporary(f"unable to read {self.path}: {wording(problem.errno)}") from problem
        if len(data) < size:
            raise self._damaged()
        return data

    def _damaged(self) -> Temporary:
        return Temporary(f"{self.path} is damaged")


def hash_of(key: bytes) -> int:
    """The hash of a key (cr.yp.to/cdb/cdb.txt)."""
    number = 5381
    for byte in key:
        number = (number * 33 & 0xFFFFFFFF) ^ byte
    return number


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
