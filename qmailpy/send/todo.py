"""Preprocessing: todo/N becomes info/N, local/N and remote/N, in memory or in files that nobody syncs yet (INTERNALS: The queue)."""

from __future__ import annotations

import os

from qmailpy.send.fresh import BOTH, Fresh
from qmailpy.send.log import safe
from qmailpy.send.writer import KINDS, Trouble, Writer
from qmailpy.text.envelope import DONE, PID, RECIPIENT, SENDER, UID, RecordReader, number
from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import BLOCK
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.queue.boot import Boot
    from qmailpy.queue.paths import Paths
    from qmailpy.send.log import Log
    from qmailpy.text.route import Routes


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

    def stamp(self, message: int) -> bytes:
        """What no other message has, not an earlier one with this number either: the number, qmail-queue's process id, and when it was written."""
        pid = next((record[1:] for record in self.first.split(b"\0", 2)[:2] if record[:1] == PID), b"")
        return b"%d %d %d" % (message, number(pid), self.touched())


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

    def process(self, envelope: Envelope, message: int, size: int, now: int, *, hold: bool = False) -> Fresh:
        """Sort the recipients into what its files are to have; written at once, unless it is to be held in memory and is small.  Raises Trouble.

        size  of the message, for the log
        """
        writer = Writer(self.paths, message)
        try:
            writer.put("info", b"")
            self.log("new msg ", message)
            sender = self._copy(envelope, message, size, writer)
            held = hold and writer.small and sender is not None
            for kind in KINDS:
                if held or not writer.has(kind):
                    writer.clear(kind)
            if not held:
                writer.flush()
        finally:
            writer.close()
        made = sum(1 << channel for channel, kind in enumerate(CHANNELS) if writer.has(kind))
        fresh = Fresh(message, sender, now, made, [writer.held(kind) for kind in CHANNELS], writer.cleared, written=not held)
        if held:
            fresh.stamp = envelope.stamp(message)
        return fresh

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

    def resume(self, envelope: Envelope, message: int, boot: Boot) -> Fresh | None:
        """Go on with what an earlier qmail-send has made of this envelope, its done marks as well; None if it was not made of it, or not whole."""
        try:
            fresh = self._resume(envelope, message)
        except (OSError, Trouble):
            fresh = None
        if fresh is None and (place := boot.place(envelope.stamp(message))):
            # Files that there may be were not finished: they go with the message.
            fresh = Fresh(message, None, 0, sum(1 << channel for channel in BOTH), [None, None], [])
            fresh.left, fresh.place = 0, place
        return fresh

    def _resume(self, envelope: Envelope, message: int) -> Fresh | None:
        paths, touched = self.paths, envelope.touched()
        status = {}
        for kind in KINDS:
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
