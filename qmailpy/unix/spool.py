"""A message whose size must be known before it can be sent: small ones in memory, others in an unlinked temporary file."""

from __future__ import annotations

import os
import stat

from qmailpy.unix.fds import BLOCK, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "/tmp"  # noqa: S108 (the file never has a name there)
IN_MEMORY = 1 << 20  # bytes


class Spool:
    """What is left to read from a descriptor; `size` in bytes.  Raises OSError where it cannot be read or kept.

    A regular file stays where it is.
    """

    def __init__(self, source: int) -> None:
        self._start, self._head, self._fd = 0, b"", source
        found = os.fstat(source)
        if stat.S_ISREG(found.st_mode):
            self._start = os.lseek(source, 0, os.SEEK_CUR)
            self.size = max(found.st_size - self._start, 0)
            return
        parts: list[bytes] = []
        self.size = 0
        while self.size < IN_MEMORY and (data := os.read(source, BLOCK)):
            parts.append(data)
            self.size += len(data)
        self._head, self._fd = b"".join(parts), -1
        if self.size >= IN_MEMORY:
            self._fd = os.open(FOLDER, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
            while data := os.read(source, BLOCK):
                write_all(self._fd, data)
                self.size += len(data)

    def blocks(self) -> Iterator[bytes]:
        """The whole of it, each time from its start.  Raises OSError, also if a file has become shorter meanwhile."""
        if self._head:
            yield self._head
        at, left = self._start, self.size - len(self._head)
        while left:
            data = os.pread(self._fd, min(BLOCK, left), at)
            if not data:
                raise OSError("it has become shorter")
            at += len(data)
            left -= len(data)
            yield data
