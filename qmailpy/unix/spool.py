"""Bytes whose number must be known before they can be sent: few are kept in memory, many in a temporary file without a name."""

from __future__ import annotations

import os
import stat

from qmailpy.unix.fds import BLOCK, close_quietly, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "/tmp"  # noqa: S108 (the file has no name there that anybody could take)
IN_MEMORY = 1 << 20  # bytes


class NoRoom(OSError):
    """There is no temporary file, or nothing more goes into it."""


class Spool:
    """What is left to read from the descriptor `source`, or what `add` is given; `size` in bytes.

    A regular file stays where it is.  Raises OSError where the source cannot be read, and NoRoom.
    """

    def __init__(self, source: int = -1) -> None:
        self.size = 0
        self._head = bytearray()
        self._start, self._fd = 0, -1  # where in a file the rest begins
        self._temporary = -1  # a descriptor to be closed
        if source < 0:
            return
        found = os.fstat(source)
        if stat.S_ISREG(found.st_mode):
            self._start, self._fd = os.lseek(source, 0, os.SEEK_CUR), source
            self.size = max(found.st_size - self._start, 0)
            return
        while data := os.read(source, BLOCK):
            self.add(data)

    def add(self, data: bytes) -> None:
        """Take more.  Raises NoRoom."""
        if self._fd < 0 and self.size + len(data) <= IN_MEMORY:
            self._head += data
        else:
            try:
                if self._fd < 0:
                    self._fd = self._temporary = without_name(FOLDER)
                write_all(self._fd, data)
            except OSError as problem:
                raise NoRoom(*problem.args) from problem
        self.size += len(data)

    def blocks(self) -> Iterator[bytes]:
        """The whole of it, each time from its start.  Raises OSError, also if a file has become shorter meanwhile."""
        for begin in range(0, len(self._head), BLOCK):
            yield bytes(self._head[begin:begin + BLOCK])
        at, left = self._start, self.size - len(self._head)
        while left:
            data = os.pread(self._fd, min(BLOCK, left), at)
            if not data:
                raise OSError("it has become shorter")
            at += len(data)
            left -= len(data)
            yield data

    def close(self) -> None:
        """Let go of the temporary file."""
        if self._temporary >= 0:
            close_quietly(self._temporary)
            self._temporary = self._fd = -1


def without_name(folder: str) -> int:
    """A new file in a folder, open for reading and writing, that nobody else can find.  Raises OSError."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return nameless(folder)  # some file systems have no such files


def nameless(folder: str) -> int:
    """The same by way of a name that is removed at once.  Raises OSError."""
    name = f"{folder}/qmailpy.{os.getpid()}.{os.urandom(8).hex()}"
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.unlink(name)
    return fd
