"""maildir2mbox: move a Maildir's messages into an mbox.  See maildir2mbox(1)."""

from __future__ import annotations

import os
import stat
import time

from qmailpy.errnotext import wording
from qmailpy.exits import OK, Temporary, complain, during
from qmailpy.local.scan import clean, maildir, messages
from qmailpy.text.mbox import Quoter, from_line
from qmailpy.unix.fds import BLOCK, copy, write_all
from qmailpy.unix.files import lock, sync_file, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
RETURN_PATH = b"Return-Path: <"
NOBODY = b"X" * 3  # the sender of a message that does not tell it, as ever


def sender(first: bytes) -> bytes:
    """The sender that the first line of a message tells; b"" for a bounce."""
    return first[len(RETURN_PATH):].removesuffix(b">") if first.startswith(RETURN_PATH) else NOBODY


def entry(fd: int, date: float) -> Iterator[bytes]:
    """A message as it stands in an mbox.  Raises OSError."""
    quoter, data = Quoter(), os.read(fd, BLOCK)
    first, newline, _ = data.partition(b"\n")
    yield from_line(sender(first if newline else b""), int(date))
    while data:
        yield quoter.feed(data)
        data = os.read(fd, BLOCK)
    yield quoter.finish()


class Move:
    """Moving messages into an mbox, which is replaced as a whole.

    base   the Maildir
    mbox   the mbox
    fresh  the new mbox, until it is complete
    """

    __slots__ = ("base", "mbox", "fresh")

    def __init__(self, base: bytes, mbox: str, fresh: str) -> None:
        self.base, self.mbox, self.fresh = base, mbox, fresh

    def lock(self) -> int:
        """The mbox, locked until the descriptor is closed, and made if it is not there.  Raises Temporary."""
        with during(f"unable to lock {self.mbox}"):
            while True:
                fd = os.open(self.mbox, APPEND, 0o600)
                lock(fd, wait=True)
                if os.path.samestat(os.fstat(fd), os.stat(self.mbox)):
                    return fd
                os.close(fd)  # while we waited, another maildir2mbox has put a new one in its place

    def move(self, locked: int, found: list[tuple[float, bytes, int]]) -> None:
        """Put a new mbox in the place of the old one, and then remove the messages that are in it.  Raises Temporary."""
        folder = os.path.dirname(self.mbox)
        with during(f"unable to sync {folder}"):
            sync_folder(folder)  # if that cannot be done, now is the time to stop: later the messages would be in both
        self.fill(self.create(locked), found)
        with during(f"unable to move {self.fresh} to {self.mbox}"):
            os.rename(self.fresh, self.mbox)
            sync_folder(folder)
        for _, name, _ in found:
            try:
                os.unlink(self.base + b"/" + name)
            except OSError as problem:
                complain(f"maildir2mbox: warning: $MAILDIR/{os.fsdecode(name)} will be delivered twice; unable to unlink: {wording(problem.errno)}")

    def create(self, locked: int) -> int:
        """The new mbox, empty.  Raises Temporary; what is there and must stay, such as the mbox itself, is left."""
        with during(f"unable to create {self.fresh}"):
            try:
                there = os.lstat(self.fresh)
                if os.path.samestat(there, os.fstat(locked)):
                    raise Temporary(f"unable to create {self.fresh}: it is the mbox itself")
                if not stat.S_ISREG(there.st_mode):
                    raise Temporary(f"unable to create {self.fresh}: there is something else than a file")
                os.unlink(self.fresh)
            except FileNotFoundError:
                pass
            return os.open(self.fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def fill(self, target: int, found: list[tuple[float, bytes, int]]) -> None:
        """Write the new mbox: the old one, then the messages; all of it to the disk.  Raises Temporary."""
        with during(f"unable to read {self.mbox}"):
            old = os.open(self.mbox, READ)
        with during(f"unable to copy {self.mbox} to {self.fresh}"):
            copy(old, target)
        os.close(old)
        for date, name, _ in found:
            self.append(target, name, date)
        with during(f"unable to write to {self.fresh}"):
            sync_file(target)
            os.close(target)

    def append(self, target: int, name: bytes, date: float) -> None:
        """Append one message to the new mbox.  Raises Temporary."""
        unreadable = f"unable to read $MAILDIR/{os.fsdecode(name)}"
        with during(unreadable):
            fd = os.open(self.base + b"/" + name, READ)
        try:
            parts = entry(fd, date)
            while True:
                with during(unreadable):
                    part = next(parts, None)
                if part is None:
                    return
                with during(f"unable to write to {self.fresh}"):
                    write_all(target, part)
        finally:
            os.close(fd)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    os.umask(0o077)
    for name in ("MAIL", "MAILTMP"):
        if name not in env:
            raise Temporary(f"{name} not set")
    base, now = maildir(env), int(time.time())
    # The two names are taken from the Maildir, as ever, if they are not absolute.
    work = Move(base, os.path.join(env["MAILDIR"], env["MAIL"]), os.path.join(env["MAILDIR"], env["MAILTMP"]))
    clean(base, now)
    if not messages(base, now):
        return OK
    locked = work.lock()
    try:
        if found := messages(base, int(time.time())):  # again: while we waited, another maildir2mbox may have moved them
            work.move(locked, found)
    finally:
        os.close(locked)
    return OK
