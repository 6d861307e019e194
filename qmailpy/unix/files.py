"""Files: reading what may be absent, syncing what must last, replacing as a whole, locking."""

from __future__ import annotations

import fcntl
import os

from qmailpy.exits import TENURE
from qmailpy.unix.fds import BLOCK, close_quietly, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Path = str | bytes


def contents(path: Path) -> bytes | None:
    """A file's content, or None if there is no such file.  Raises OSError for anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        parts = []
        while data := os.read(fd, BLOCK):
            parts.append(data)
        return b"".join(parts)
    finally:
        os.close(fd)


def sync_file(fd: int) -> None:
    """Make what was written to an open file last.  Raises OSError; never try again then: the kernel has forgotten the data."""
    os.fsync(fd)


def sync_together(fds: Sequence[int]) -> None:
    """Make what was written to open files, and the entries of open folders, last, in any order.  Raises OSError; see sync_file."""
    if TENURE.warm:
        from qmailpy.unix.together import PACE

        PACE.sync(fds)
        return
    for fd in fds:
        sync_file(fd)


def open_folder(path: Path) -> int:
    """A descriptor of a folder, to sync it.  Raises OSError."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def begin_writing(fd: int) -> None:
    """Have the first page of what was written to an open file, which is all of most small ones, begin its way to the disk.

    A sync of another file then need not be followed by a commit of its own for this one.  It is synced no sooner, and no failure is told here.
    """
    try:
        # One byte: pages that are not wholly within the range stay in memory, for whoever reads them next.
        os.posix_fadvise(fd, 0, 1, os.POSIX_FADV_DONTNEED)
    except OSError:
        pass  # not on every file system


def sync_folder(path: Path) -> None:
    """Make the entries of a folder last: names made, linked or removed in it survive a power cut.  Raises OSError."""
    _sync(path, os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Disk:
    """The file system that a folder is on, for syncs of many files and folders at once.  Raises OSError.

    few  as many paths are synced one by one; for more, all of the file system is, which is one commit of its journal
    """

    def __init__(self, folder: Path, few: int = 8) -> None:
        # Held open from the start: a write that fails behind our back later is told to the next sync of this descriptor.
        self._fd, self._few = open_folder(folder), few

    def sync(self, paths: Iterable[str]) -> set[str]:
        """Make files, and the entries of folders, last; the paths where that failed.  Never try those again: see sync_file."""
        wanted = set(paths)
        if len(wanted) > self._few and tells_errors():
            return set() if sync_file_system(self._fd) else wanted
        failed = set()
        for path in wanted:
            try:
                _sync(path, os.O_NOFOLLOW)
            except OSError:
                failed.add(path)
        return failed

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)


def tells_errors() -> bool:
    """Whether this kernel's syncfs tells of writes that failed: from 5.8 on."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(filter(str.isdigit, minor)) or "0")) >= (5, 8)


def sync_file_system(fd: int) -> bool:
    """Make all last that was written to the file system that an open file is on; False if some of it could not be."""
    import ctypes

    done: int = ctypes.CDLL(None).syncfs(fd)
    return done == 0


def replace(path: str, data: bytes, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Give a file new content as a whole: readers see the old or the new, also after a power cut.  Raises OSError.

    owner  uid and gid that it is to belong to; None: whoever does this
    """
    fresh = path + ".tmp"
    remove(fresh)  # whatever is there, a link to another file perhaps, is not written to
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        if owner is not None:
            os.fchown(fd, *owner)
        os.fchmod(fd, mode)
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(fresh, path)
    sync_folder(os.path.dirname(path) or ".")


def lock(fd: int, *, wait: bool) -> bool:
    """Take the exclusive lock of an open file (flock, as C qmail on Linux); False if another has it and `wait` is false."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def lock_holder(path: Path) -> int | None:
    """The process that has taken a file's lock, so the system says; None if there is none, or the system does not say."""
    try:
        inode = b"%d" % os.stat(path).st_ino
        rows = [row.split() for row in (contents("/proc/locks") or b"").split(b"\n")]
    except OSError:
        return None
    # As words: "1:", "FLOCK", "ADVISORY", "WRITE", process, device:device:inode, ...; of those who wait "->" is the second.
    return next((int(row[4]) for row in rows if len(row) > 5 and row[1] == b"FLOCK" and row[5].rpartition(b":")[2] == inode), None)


def remove(path: Path) -> bool:
    """Remove a file; False if it was not there.  Raises OSError for anything else."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def pull_trigger(path: str) -> None:
    """Write a byte to a named pipe if somebody listens there; tells nobody whether it did (C: triggerpull)."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(fd, b"\0")
    except OSError:
        pass
    close_quietly(fd)
