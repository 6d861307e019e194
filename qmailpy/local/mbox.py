"""Delivery to an mbox: locked, appended, synced; cut back after an error (mbox(5))."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary
from qmailpy.text.mbox import Quoter
from qmailpy.unix.fds import BLOCK, write_all
from qmailpy.unix.files import lock, sync_file, sync_folder
from qmailpy.unix.signals import deadline

APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
BEGIN = b"From "  # of an mbox
LOCK_PATIENCE = 30  # seconds


def deliver(path: bytes, head: bytes, message: int) -> None:
    """Append an entry: `head`, then what descriptor `message` gives.  Raises Temporary; then the mbox is what it was."""
    name = os.fsdecode(path)
    existed = os.path.lexists(path)
    fd, locked = open_locked(path)
    try:
        end = os.lseek(fd, 0, os.SEEK_END)
        try:
            append(fd, b"\n" + head if locked and is_torn(path, end) else head, message)
            if not existed:
                sync_folder(os.path.dirname(path) or b".")
        except (OSError, Temporary) as problem:
            if locked:
                os.ftruncate(fd, end)
            if isinstance(problem, Temporary):
                raise
            raise Temporary(f"Unable to write {name}: {wording(problem.errno)}. (#4.3.0)") from None
    finally:
        os.close(fd)


def open_locked(path: bytes) -> tuple[int, bool]:
    """(the open mbox, whether it is locked).  Raises Temporary."""
    while True:
        try:
            fd = os.open(path, APPEND, 0o600)
        except OSError as problem:
            raise Temporary(f"Unable to open {os.fsdecode(path)}: {wording(problem.errno)}. (#4.2.1)") from None
        try:
            locked = take_lock(fd)
            if leads_to(path, fd):
                return fd, locked
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # maildir2mbox, or a mail reader, has put another file in its place while we waited


def is_torn(path: bytes, end: int) -> bool:
    """Whether an mbox of `end` bytes ends in the middle of a line: a delivery that was killed has left it so, and would take the next entry along.

    A file that does not begin as an mbox does is somebody's own affair, and gets the entry where it ends, as from C.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False  # it may be written and not read
    try:
        return os.pread(fd, len(BEGIN), 0) == BEGIN and os.pread(fd, 1, end - 1) not in (b"\n", b"")
    except OSError:
        return False
    finally:
        os.close(fd)


def leads_to(path: bytes, fd: int) -> bool:
    """Whether the name still is the open file's."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except OSError:
        return False


def take_lock(fd: int) -> bool:
    """Wait for the lock; False if the file cannot be locked at all, as on some network file systems.  Raises Temporary."""
    try:
        with deadline(LOCK_PATIENCE, too_slow):
            return lock(fd, wait=True)
    except OSError:
        return False


def too_slow() -> None:
    """What the time limit does."""
    raise Temporary("File has been locked for 30 seconds straight. (#4.3.0)")


def append(fd: int, head: bytes, message: int) -> None:
    """Write one entry and sync it.  Raises OSError; Temporary if the message cannot be read."""
    write_all(fd, head)
    quoter = Quoter()
    while data := read(message):
        write_all(fd, quoter.feed(data))
    write_all(fd, quoter.finish())
    sync_file(fd)


def read(message: int) -> bytes:
    """The next block of the message."""
    try:
        return os.read(message, BLOCK)
    except OSError as problem:
        raise Temporary(f"Unable to read message: {wording(problem.errno)}. (#4.3.0)") from None
