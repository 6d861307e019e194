"""Preprocessing: todo/N becomes info/N, local/N and remote/N, which nobody syncs yet (INTERNALS: The queue)."""

from __future__ import annotations

import os

from qmailpy.send.fresh import BOTH, Fresh
from qmailpy.send.log import safe
from qmailpy.text.envelope import DONE, PID, RECIPIENT, SENDER, UID, RecordReader, number
from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import BLOCK, close_quietly, write_all
from qmailpy.unix.files import contents, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.queue.paths import Paths
    from qmailpy.send.log import Log
    from qmailpy.text.route import Routes

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
FILE_MODE = 0o600
MANY = 1000  # records that are written together
HELD = 65536  # bytes of recipients that are kept in memory until their first deliveries


class Trouble(Exception):
    """The message stays in todo; the text is what the log says."""


class Envelope:
    """An open todo/N.  Raises OSError.

    short  its name in the log
    first  its first block
    whole  whether that is all
    """

    __slots__ = ("fd", "short", "first", "whole")

    def __init__(self, path: str, short: str) -> None:
        self.fd, self.short = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), short
        try:
            self.first = os.read(self.fd, BLOCK)
        except OSError:
            self.close()
            raise
        self.whole = len(self.first) < BLOCK

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """(letter, text) of each record.  Raises Trouble."""
        reader, data = RecordReader(), self.first
        while data:
            reader.feed(data)
            while found := reader.next_record():
                yield found[:2]
            if self.whole:
                return
            try:
                data = os.read(self.fd, BLOCK)
            except OSError:
                raise Trouble(f"trouble reading {self.short}") from None

    def touched(self) -> int:
        """When it was written, in nanoseconds."""
        return os.fstat(self.fd).st_mtime_ns


class Preprocessor:
    """Makes the files of one message after the other."""

    def __init__(self, paths: Paths, routes: Routes, log: Log) -> None:
        self.paths, self.routes, self.log = paths, routes, log

    def channels(self, envelope: Envelope) -> int:
        """Which channels a message goes to, as bits, so far as its first block tells."""
        found = 0
        for record in envelope.first.split(b"\0"):
            if record[:1] == RECIPIENT:
                found |= 1 << self.routes.route(record[1:])[0]
        return found

    def process(self, envelope: Envelope, message: int, size: int, now: int) -> Fresh:
        """Write what the envelope says.  Raises Trouble.

        size  of the message, for the log
        """
        writer = Writer(self.paths, message)
        try:
            writer.open("info")
            self.log("new msg ", message)
            sender = self._copy(envelope, message, size, writer)
            writer.flush()
        finally:
            writer.close()
        made = sum(1 << channel for channel, kind in enumerate(CHANNELS) if kind in writer.fds)
        for kind in (*CHANNELS, "bounce"):
            if kind not in writer.fds:
                writer.clear(kind)
        return Fresh(message, sender, now, made, [writer.held(kind) for kind in CHANNELS], writer.cleared)

    def _copy(self, envelope: Envelope, message: int, size: int, writer: Writer) -> bytes | None:
        """Sort the records into the files; the sender."""
        numbers, sender = {UID: 0, PID: 0}, None
        for letter, text in envelope.records():
            if letter in numbers:
                numbers[letter] = number(text)
            elif letter == SENDER:
                sender = text
                writer.put("info", letter + text + b"\0")
                self.log("info msg ", message, ": bytes ", size, " from <", safe(text), "> qp ", numbers[PID], " uid ", numbers[UID])
            elif letter == RECIPIENT:
                channel, address = self.routes.route(text)
                writer.put(CHANNELS[channel], RECIPIENT + address + b"\0")
            else:
                raise Trouble(f"unknown record type in {envelope.short}")
        return sender

    def resume(self, envelope: Envelope, message: int) -> Fresh | None:
        """Go on with what an earlier qmail-send has made of this envelope, its done marks as well; None if it was not made of it, or not whole."""
        try:
            return self._resume(envelope, message)
        except (OSError, Trouble):
            return None

    def _resume(self, envelope: Envelope, message: int) -> Fresh | None:
        paths, touched = self.paths, envelope.touched()
        status = {}
        for kind in ("info", *CHANNELS, "bounce"):
            try:
                status[kind] = os.stat(paths.name(kind, message))
            except FileNotFoundError:
                continue
            if status[kind].st_ctime_ns < touched:
                return None  # of an earlier message with that number
        if "info" not in status:
            return None
        sender, left, files = None, 0, [_records(paths.name(kind, message)) for kind in CHANNELS]
        sizes = [0, 0]
        for letter, text in envelope.records():
            if letter == SENDER:
                sender = text
            elif letter == RECIPIENT:
                channel, address = self.routes.route(text)
                mark, found = next(files[channel], (b"", b""))
                if mark not in (RECIPIENT, DONE) or found != address:
                    return None
                sizes[channel] += len(address) + 2
                if mark == RECIPIENT:
                    left |= 1 << channel
        made = sum(1 << channel for channel in BOTH if sizes[channel])
        if sender is None or contents(paths.info(message)) != SENDER + sender + b"\0":
            return None
        if any((status[kind].st_size if kind in status else 0) != size or (kind in status and not size) for kind, size in zip(CHANNELS, sizes, strict=True)):
            return None
        fresh = Fresh(message, sender, int(status["info"].st_mtime), made, [None, None], [])
        fresh.left, fresh.noted = left, "bounce" in status
        return fresh


def _records(path: str) -> Iterator[tuple[bytes, bytes]]:
    """(letter, text) of each record of a file; none if there is no file.  Raises OSError."""
    reader = RecordReader()
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        while data := os.read(fd, BLOCK):
            reader.feed(data)
            while found := reader.next_record():
                yield found[:2]
    finally:
        os.close(fd)


class Writer:
    """The files that are being made of one todo/N.  Raises Trouble.

    cleared  folders that had a file of an earlier message in them
    """

    def __init__(self, paths: Paths, number: int) -> None:
        self.paths, self.number = paths, number
        self.fds: dict[str, int] = {}
        self.cleared: list[str] = []
        self._parts: dict[str, list[bytes]] = {}
        self._written: dict[str, bytes | None] = {}  # what was written, as long as that is little

    def open(self, kind: str) -> None:
        """Make a file."""
        name = self.paths.name(kind, self.number)
        try:
            try:
                self.fds[kind] = os.open(name, NEW, FILE_MODE)
            except FileExistsError:
                self.clear(kind)
                self.fds[kind] = os.open(name, NEW, FILE_MODE)
        except OSError:
            raise Trouble(f"unable to create {short(self.paths, kind, self.number)}") from None
        self._parts[kind] = []

    def clear(self, kind: str) -> None:
        """Remove what a crash has left."""
        try:
            if remove(self.paths.name(kind, self.number)):
                self.cleared.append(self.paths.folder(kind, self.number))
        except OSError:
            raise Trouble(f"unable to unlink {short(self.paths, kind, self.number)}") from None

    def put(self, kind: str, record: bytes) -> None:
        """Add a record to a file, which is made if need be."""
        if kind not in self.fds:
            self.open(kind)
        self._parts[kind].append(record)
        if len(self._parts[kind]) >= MANY:
            self._write(kind)

    def flush(self) -> None:
        """Write what has not been written yet."""
        for kind in self.fds:
            self._write(kind)

    def _write(self, kind: str) -> None:
        data = b"".join(self._parts[kind])
        try:
            write_all(self.fds[kind], data)
        except OSError:
            raise Trouble(f"trouble writing to {short(self.paths, kind, self.number)}") from None
        self._parts[kind].clear()
        self._written[kind] = data if kind not in self._written and len(data) <= HELD else None

    def held(self, kind: str) -> bytes | None:
        """What a file has, if that is little enough to be kept in memory."""
        return self._written.get(kind)

    def close(self) -> None:
        """Give the descriptors back."""
        close_quietly(*self.fds.values())


def short(paths: Paths, kind: str, number: int) -> str:
    """A file's name as the log has it: below the queue folder."""
    return paths.name(kind, number)[len(paths.queue) + 1:]
