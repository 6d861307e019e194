"""Constant databases (cdb): lookups that distrust the file, and builds that replace it as a whole.  With pure-cdb, imported when first needed."""

from __future__ import annotations

import io
import os

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary, is_temporary
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.files import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = 2048  # bytes: 256 pairs of position and length


class Unopenable(Temporary):
    """There is such a file, but it cannot be opened, and trying again does not help."""


class Pages:
    """The bytes of an open file, read where they are asked for: a large table costs no more memory than a small one."""

    __slots__ = ("_fd", "_head", "_size")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._size = os.fstat(fd).st_size
        self._head = os.pread(fd, HEADER, 0)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        return self._head[start:stop] if stop <= HEADER else os.pread(self._fd, max(stop - start, 0), start)

    def close(self) -> None:
        """The table calls this when it is let go."""
        close_quietly(self._fd)


class Reader:
    """One database.  Raises Temporary if it cannot be read or is damaged; a missing file is an empty database."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._table = None
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            self.absent = True
            return
        except OSError as problem:
            raise (Temporary if is_temporary(problem.errno) else Unopenable)(f"unable to open {path}: {wording(problem.errno)}") from problem
        self.absent = False
        try:
            data = Pages(fd)
        except OSError as problem:
            close_quietly(fd)
            raise Temporary(f"unable to read {path}: {wording(problem.errno)}") from problem
        if len(data[0:HEADER]) < HEADER:
            data.close()
            raise self._damaged()
        from cdblib import Reader as Table

        self._table = Table(data)

    def get(self, key: bytes) -> bytes | None:
        """The value of the first record with this key; None if there is none."""
        if self._table is None:
            return None
        try:
            value = self._table.get(key)
        except Exception as problem:  # noqa: BLE001 (the library meets a damaged file with whatever comes first)
            raise self._damaged() from problem
        return None if value is None else bytes(value)

    def _damaged(self) -> Temporary:
        return Temporary(f"{self.path} is damaged")


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
