"""Writing what qmail-send keeps of a message: info/N, local/N and remote/N."""

from __future__ import annotations

import os

from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import close_quietly, write_all
from qmailpy.unix.files import remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.queue.paths import Paths

KINDS = ("info", *CHANNELS, "bounce")  # files that a message may have beside mess/N, when its todo/N has gone
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
FILE_MODE = 0o600
MANY = 1000  # records that are written together
HELD = 65536  # bytes of recipients that are kept in memory until their first deliveries


class Trouble(Exception):
    """The message stays in todo; the text is what the log says."""


class Writer:
    """The files that are being made of one todo/N.  A file is made when there is much to write, or all is flushed.  Raises Trouble.

    cleared  folders that had a file of an earlier message in them
    """

    def __init__(self, paths: Paths, number: int) -> None:
        self.paths, self.number = paths, number
        self.cleared: list[str] = []
        self._fds: dict[str, int] = {}
        self._parts: dict[str, list[bytes]] = {}
        self._written: dict[str, bytes | None] = {}  # what was written, as long as that is little

    @property
    def small(self) -> bool:
        """Whether all of it is still in memory."""
        return not self._fds

    def has(self, kind: str) -> bool:
        """Whether something was put into a file."""
        return kind in self._parts

    def put(self, kind: str, record: bytes) -> None:
        """Add a record to a file."""
        parts = self._parts.setdefault(kind, [])
        parts.append(record)
        if len(parts) >= MANY:
            self._write(kind)

    def held(self, kind: str) -> bytes | None:
        """What was put into a file; None if it is too much to be kept in memory, or there is no such file."""
        return b"".join(self._parts[kind]) if self.small and kind in self._parts else self._written.get(kind)

    def flush(self) -> None:
        """Write what has not been written yet."""
        for kind in self._parts:
            self._write(kind)

    def _write(self, kind: str) -> None:
        if kind not in self._fds:
            self._open(kind)
        data = b"".join(self._parts[kind])
        try:
            write_all(self._fds[kind], data)
        except OSError:
            raise Trouble(f"trouble writing to {self._short(kind)}") from None
        self._parts[kind].clear()
        self._written[kind] = data if kind not in self._written and len(data) <= HELD else None

    def _open(self, kind: str) -> None:
        name = self.paths.name(kind, self.number)
        try:
            try:
                self._fds[kind] = os.open(name, NEW, FILE_MODE)
            except FileExistsError:
                self.clear(kind)
                self._fds[kind] = os.open(name, NEW, FILE_MODE)
        except OSError:
            raise Trouble(f"unable to create {self._short(kind)}") from None

    def clear(self, kind: str) -> None:
        """Remove what a crash has left."""
        try:
            if remove(self.paths.name(kind, self.number)):
                self.cleared.append(self.paths.folder(kind, self.number))
        except OSError:
            raise Trouble(f"unable to unlink {self._short(kind)}") from None

    def _short(self, kind: str) -> str:
        return self.paths.short(self.paths.name(kind, self.number))

    def close(self) -> None:
        """Give the descriptors back."""
        close_quietly(*self._fds.values())
