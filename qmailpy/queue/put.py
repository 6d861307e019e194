"""Store one message in the queue: what qmail-queue does (qmail-queue(8); INTERNALS: The queue).

The order of steps is the whole point: whatever dies, and whenever the power fails, the queue holds either
no message, or leftovers that qmail-clean removes, or a complete and synced message behind todo/N.
"""

from __future__ import annotations

import os

from qmailpy.queue.exitcodes import ADDRESS_TOO_LONG, BAD_ENVELOPE, NO_INTD, NO_MESS, NO_PID, NO_TODO, READ_ERROR, WRITE_ERROR
from qmailpy.text.date import rfc822
from qmailpy.unix.fds import BLOCK, close_quietly, write_all
from qmailpy.unix.files import begin_writing, open_folder, pull_trigger, remove, sync_folder, sync_together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qmailpy.queue.paths import Paths

ADDRESS_LIMIT = 1003  # an address may be shorter than this
PID_TRIES = 9
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
MODE = 0o644


class Refused(Exception):
    """The message is not queued, and nothing of it is left; `code` is qmail-queue's exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"qmail-queue exit {code}")
        self.code = code


class Caller:
    """Who hands in the message: process id, uid, and the time in seconds."""

    __slots__ = ("pid", "uid", "now")

    def __init__(self, pid: int, uid: int, now: int) -> None:
        self.pid, self.uid, self.now = pid, uid, now


def received(caller: Caller, how: bytes) -> bytes:
    """The Received field; `how`: b"by alias", b"from network", b"for bounce" or b"by uid N"."""
    return b"Received: (qmail %d invoked %s); %s\n" % (caller.pid, how, rfc822(caller.now))


class Entry:
    """One message on its way into the queue.  Raises Refused at any step; `abandon` then removes what there is."""

    def __init__(self, paths: Paths, caller: Caller) -> None:
        self.paths, self.caller = paths, caller
        self.number = 0
        self.made: list[str] = []  # files that exist so far
        self.open: list[int] = []  # descriptors

    def store(self, message: int, envelope: int, head: bytes, further: bytes) -> None:
        """Queue `head` and what descriptor `message` gives, for `further` and the addresses that `envelope` gives.  Then it is safe."""
        target = self.create()
        self.write_message(target, message, head)
        self.sync(target, self.write_envelope(envelope, further))
        self.commit(target)

    def create(self) -> int:
        """Make pid/NAME, and of it mess/N, N being its inode number; its descriptor."""
        fd, name = self.open_pid()
        self.open.append(fd)
        self.made.append(name)
        self.number = os.fstat(fd).st_ino
        mess = self.paths.mess(self.number)
        try:
            if not os.path.lexists(mess):
                self.clear()
            os.link(name, mess)
        except OSError:
            raise Refused(NO_MESS) from None
        self.made.append(mess)
        try:
            os.unlink(name)
        except OSError:
            raise Refused(NO_PID) from None
        self.made.remove(name)
        return fd

    def clear(self) -> None:
        """Remove the envelope of an earlier message with this number: nobody else has it, so there is no such message any more.  Raises OSError."""
        if remove(self.paths.todo(self.number)):
            # Synced before there is a message that it would be the envelope of, after a power cut.
            sync_folder(self.paths.folder("todo", self.number))
        remove(self.paths.intd(self.number))

    def open_pid(self) -> tuple[int, str]:
        """A new file in pid/ and its name."""
        for attempt in range(1, PID_TRIES + 1):
            name = self.paths.pid(f"{self.caller.pid}.{self.caller.now}.{attempt}")
            try:
                return os.open(name, NEW, MODE), name
            except OSError:
                continue
        raise Refused(NO_PID)

    def write_message(self, target: int, source: int, head: bytes) -> None:
        """Copy the message."""
        self.write(target, head)
        while data := self.read(source):
            self.write(target, data)

    def write_envelope(self, source: int, further: bytes) -> int:
        """Write intd/N; its descriptor."""
        name = self.paths.intd(self.number)
        try:
            target = os.open(name, NEW, MODE)
        except OSError:
            raise Refused(NO_INTD) from None
        self.open.append(target)
        self.made.append(name)
        self.write(target, b"u%d\0p%d\0" % (self.caller.uid, self.caller.pid))
        for part in checked(self.read_blocks(source), further):
            self.write(target, part)
        return target

    def sync(self, message: int, envelope: int) -> None:
        """Make mess/N and intd/N last, and their names.

        All is written before any of it is synced, and the envelope is on its way to the disk by then: so one commit of a file system's journal
        takes it all along.
        """
        folders: list[int] = []
        try:
            begin_writing(envelope)
            for kind in ("mess", "intd"):
                folders.append(open_folder(self.paths.folder(kind, self.number)))
            sync_together([message, envelope, *folders])
        except OSError:
            raise Refused(WRITE_ERROR) from None
        finally:
            close_quietly(*folders)

    def commit(self, target: int) -> None:
        """Link todo/N and sync its folder: from here on the message is accepted.  `target`: mess/N, open."""
        if not os.fstat(target).st_nlink:
            # A clock that has jumped ahead made us look like a qmail-queue that was killed days ago, and qmail-clean has removed our message.
            # To ask later would be wrong: once todo/N is there, qmail-send may deliver the message and remove it before we look.
            raise Refused(NO_MESS)
        todo = self.paths.todo(self.number)
        try:
            os.link(self.paths.intd(self.number), todo)
        except OSError:
            raise Refused(NO_TODO) from None
        try:
            sync_folder(self.paths.folder("todo", self.number))
        except OSError:
            self.made.append(todo)  # nobody was told yes: take it back if it can still be
            raise Refused(WRITE_ERROR) from None
        self.made.clear()

    def abandon(self) -> None:
        """Remove what was made, newest first, and stop where that fails: mess/N must not go before its envelope."""
        for name in reversed(self.made):
            try:
                remove(name)
            except OSError:
                break
        self.made.clear()

    def close(self) -> None:
        """Give the descriptors back."""
        close_quietly(*self.open)
        self.open.clear()

    def read(self, fd: int) -> bytes:
        try:
            return os.read(fd, BLOCK)
        except OSError:
            raise Refused(READ_ERROR) from None

    def read_blocks(self, fd: int) -> Iterator[bytes]:
        """What `fd` gives; to come to its end is a read error, since an envelope has an end of its own."""
        while data := self.read(fd):
            yield data
        raise Refused(READ_ERROR)

    def write(self, fd: int, data: bytes) -> None:
        try:
            write_all(fd, data)
        except OSError:
            raise Refused(WRITE_ERROR) from None


def checked(blocks: Iterator[bytes], further: bytes = b"") -> Iterator[bytes]:
    """The records of an envelope, in pieces, up to its end; what follows the end is nobody's business.

    F sender NUL, then T recipient NUL for each recipient, then NUL.  Raises Refused for anything else.
    The records `further` come behind the sender.
    """
    wanted, rest = b"F", b""
    for block in blocks:
        records, rest = (rest + block).split(b"\0"), b""
        last = records.pop()
        good: list[bytes] = []
        for record in records:
            if not record and wanted == b"T":
                yield b"".join(good)
                return
            check(record, wanted)
            good.append(record + b"\0")
            if wanted == b"F":
                good.append(further)
                wanted = b"T"
        if last:
            check(last, wanted)
        rest = last
        yield b"".join(good)


def check(record: bytes, letter: bytes) -> None:
    """Refuse a record, or the beginning of one, that is of another kind or too long."""
    if record[:1] != letter:
        raise Refused(BAD_ENVELOPE)
    if len(record) > ADDRESS_LIMIT:
        raise Refused(ADDRESS_TOO_LONG)


def recipient(address: bytes) -> bytes:
    """The record of one recipient.  Raises Refused."""
    record = b"T" + address
    check(record, b"T")
    return record + b"\0"


def put(paths: Paths, caller: Caller, message: int, envelope: int, head: bytes, further: Iterable[bytes] = ()) -> int:
    """Queue one message and wake qmail-send; 0, or qmail-queue's exit code.  Nothing is left of a refused message.

    head     what is put before the message
    further  recipients beside those of the envelope
    """
    entry = Entry(paths, caller)
    try:
        entry.store(message, envelope, head, b"".join(map(recipient, further)))
    except Refused as problem:
        entry.abandon()
        return problem.code
    except BaseException:
        entry.abandon()
        raise
    finally:
        entry.close()
    pull_trigger(paths.lock("trigger"))
    return 0
