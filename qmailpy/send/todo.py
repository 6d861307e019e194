"""Preprocessing: todo/N becomes info/N, local/N and remote/N (INTERNALS: The queue)."""

from __future__ import annotations

import os

from qmailpy.send.log import log, safe
from qmailpy.text.envelope import PID, RECIPIENT, SENDER, UID, RecordReader, number
from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import BLOCK, close_quietly, write_all
from qmailpy.unix.files import remove, sync_file, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.queue.paths import Paths
    from qmailpy.text.route import Routes

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
FILE_MODE = 0o600


class Trouble(Exception):
    """The message stays in todo; the text is what the log says."""


class Folder:
    """todo/ as it is walked, entry by entry, so that a flood of new mail does not keep qmail-send from its deliveries."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._walk: Iterator[int] | None = None

    @property
    def walking(self) -> bool:
        """Whether a walk is under way."""
        return self._walk is not None

    def begin(self) -> None:
        """Begin a walk.  Raises OSError."""
        self._walk = self._numbers(list_folder(self.path))

    def next(self) -> int | None:
        """The next message; None at the end of the walk."""
        assert self._walk is not None
        found = next(self._walk, None)
        if found is None:
            self._walk = None
        return found

    def _numbers(self, names: list[str]) -> Iterator[int]:
        for name in names:
            if not (name.isascii() and name.isdigit()):
                continue
            deeper = f"{self.path}/{name}"
            if os.path.isdir(deeper):  # a hashed todo
                yield from (int(inner) for inner in list_folder(deeper) if inner.isascii() and inner.isdigit())
            else:
                yield int(name)


def list_folder(path: str) -> list[str]:
    """The names in a folder, oldest message first as far as its numbers tell.  Raises OSError."""
    return sorted(os.listdir(path), key=lambda name: (len(name), name))


class Preprocessor:
    """Makes the files of one message after the other."""

    def __init__(self, paths: Paths, routes: Routes) -> None:
        self.paths, self.routes = paths, routes

    def process(self, source: int, number: int, size: int) -> set[int]:
        """Read the envelope from `source`, write and sync what it says; the channels that have recipients.  Raises Trouble.

        size  of the message, for the log
        """
        for kind in (*CHANNELS, "info"):
            self._remove(kind, number)
        writer = Writer(self.paths, number)
        try:
            writer.open("info")
            log("new msg ", number)
            self._copy(source, number, size, writer)
            writer.sync()
        finally:
            writer.close()
        return {channel for channel, kind in enumerate(CHANNELS) if kind in writer.fds}

    def _copy(self, source: int, message: int, size: int, writer: Writer) -> None:
        """Sort the records into the files."""
        reader, numbers = RecordReader(), {UID: 0, PID: 0}
        while data := self._read(source, message):
            reader.feed(data)
            while found := reader.next_record():
                letter, text, _ = found
                if letter in numbers:
                    numbers[letter] = number(text)
                elif letter == SENDER:
                    writer.put("info", letter + text + b"\0")
                    log("info msg ", message, ": bytes ", size, " from <", safe(text), "> qp ", numbers[PID], " uid ", numbers[UID])
                elif letter == RECIPIENT:
                    channel, address = self.routes.route(text)
                    writer.put(CHANNELS[channel], RECIPIENT + address + b"\0")
                else:
                    raise Trouble(f"unknown record type in {short(self.paths, 'todo', message)}")

    def _read(self, source: int, message: int) -> bytes:
        try:
            return os.read(source, BLOCK)
        except OSError:
            raise Trouble(f"trouble reading {short(self.paths, 'todo', message)}") from None

    def _remove(self, kind: str, number: int) -> None:
        """Remove what a crash has left."""
        try:
            remove(self.paths.name(kind, number))
        except OSError:
            raise Trouble(f"unable to unlink {short(self.paths, kind, number)}") from None


class Writer:
    """The files that are being made of one todo/N.  Raises Trouble."""

    def __init__(self, paths: Paths, number: int) -> None:
        self.paths, self.number = paths, number
        self.fds: dict[str, int] = {}
        self._parts: dict[str, list[bytes]] = {}

    def open(self, kind: str) -> None:
        """Make a file."""
        try:
            self.fds[kind] = os.open(self.paths.name(kind, self.number), NEW, FILE_MODE)
        except OSError:
            raise Trouble(f"unable to create {short(self.paths, kind, self.number)}") from None
        self._parts[kind] = []

    def put(self, kind: str, record: bytes) -> None:
        """Add a record to a file, which is made if need be."""
        if kind not in self.fds:
            self.open(kind)
        self._parts[kind].append(record)
        if len(self._parts[kind]) >= 1000:
            self._flush(kind)

    def _flush(self, kind: str) -> None:
        try:
            write_all(self.fds[kind], b"".join(self._parts[kind]))
        except OSError:
            raise Trouble(f"trouble writing to {short(self.paths, kind, self.number)}") from None
        self._parts[kind].clear()

    def sync(self) -> None:
        """Make all of it last, names included: todo/N, which could make it again, goes after this."""
        for kind, fd in self.fds.items():
            self._flush(kind)
            try:
                sync_file(fd)
                sync_folder(self.paths.folder(kind, self.number))
            except OSError:
                raise Trouble(f"trouble fsyncing {short(self.paths, kind, self.number)}") from None

    def close(self) -> None:
        """Give the descriptors back."""
        close_quietly(*self.fds.values())


def short(paths: Paths, kind: str, number: int) -> str:
    """A file's name as the log has it: below the queue folder."""
    return paths.name(kind, number)[len(paths.queue) + 1:]
