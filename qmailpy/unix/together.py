"""Syncs of several open files and folders side by side, as a warm process has them done where the disk is slow: one commit of a journal does for all.

One after the other each may have to wait for a commit of its own, since others change the same folders meanwhile; that is what the client of a mail
server waits for.  So the kernel is asked directly to do them together (io_submit(2), IOCB_CMD_FSYNC, since Linux 4.18); the C library has no
function for that, and threads would take ten times the work.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CALLS = {"x86_64": (206, 209, 208), "aarch64": (0, 2, 4)}  # numbers of io_setup, io_submit, io_getevents, for programs of 64 bits
MOST = 8  # files at a time
FSYNC = 2  # IOCB_CMD_FSYNC
ORDER = struct.Struct("<QIIHhIQQqQII")  # struct iocb of a little-endian machine: data, key, flags, command, priority, descriptor, and what a sync does not need
RESULT = struct.Struct("<QQqq")  # struct io_event: data, order, result, another one
SLOW = 0.004  # seconds that syncs take one by one, from which on they go side by side
FAST = 0.001  # seconds that they take side by side, below which they go one by one: that is less work
UNKNOWN = (errno.ENOSYS, errno.EPERM, errno.EACCES, errno.EAGAIN, errno.EINVAL)  # no such call, not allowed in here, or too much of it


class Ring:
    """The kernel's queue for one process.  Raises OSError where there cannot be one."""

    __slots__ = ("pid", "_library", "_submit", "_wait", "_context", "_orders", "_pointers", "_results")

    def __init__(self) -> None:
        machine = os.uname().machine
        if machine not in CALLS or ctypes.sizeof(ctypes.c_void_p) != 8:  # for a program of 32 bits these numbers are other calls
            raise OSError(errno.ENOSYS, "no known machine")
        setup, self._submit, self._wait = CALLS[machine]
        self.pid = os.getpid()
        self._library = ctypes.CDLL(None, use_errno=True)
        self._context = ctypes.c_ulong(0)
        self._call(setup, ctypes.c_long(MOST), ctypes.byref(self._context))
        self._orders = ctypes.create_string_buffer(ORDER.size * MOST)
        begin = ctypes.addressof(self._orders)
        self._pointers = (ctypes.c_void_p * MOST)(*range(begin, begin + ORDER.size * MOST, ORDER.size))
        self._results = ctypes.create_string_buffer(RESULT.size * MOST)

    def _call(self, number: int, *arguments: object) -> int:
        """A system call; what it returns.  Raises OSError."""
        found: int = self._library.syscall(ctypes.c_long(number), *arguments)
        if found < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return found

    def begin(self, fds: Sequence[int]) -> int:
        """Have files synced: how many of them, from the first on; the others cannot be done so.  At most MOST."""
        for at, fd in enumerate(fds):
            ORDER.pack_into(self._orders, at * ORDER.size, at, 0, 0, FSYNC, 0, fd, 0, 0, 0, 0, 0, 0)
        try:
            return self._call(self._submit, self._context, ctypes.c_long(len(fds)), self._pointers)
        except OSError as problem:
            if problem.errno in UNKNOWN:
                return 0
            raise

    def end(self, count: int) -> int:
        """Wait until so many have been synced; the errno of one that could not be, else 0."""
        trouble = 0
        while count:
            try:
                done = self._call(self._wait, self._context, ctypes.c_long(count), ctypes.c_long(count), self._results, None)
            except InterruptedError:
                continue
            for at in range(done):
                trouble = min(trouble, RESULT.unpack_from(self._results, at * RESULT.size)[2])
            count -= done
        return -trouble


_RINGS: list[Ring | None] = []  # this process's, as soon as it has wanted one; None: it cannot have one


def ring() -> Ring | None:
    """This process's ring; None if it cannot have one."""
    if _RINGS and (_RINGS[0] is None or _RINGS[0].pid == os.getpid()):
        return _RINGS[0]
    _RINGS.clear()
    try:
        _RINGS.append(Ring())
    except OSError:
        _RINGS.append(None)
    return _RINGS[0]


def sync(fds: Sequence[int]) -> int:
    """Make files and folders last: how many of them, from the first on.  Raises OSError, if one cannot be, when the others are done."""
    found = ring()
    if found is None:
        return 0
    begun = found.begin(fds[:MOST])
    try:
        trouble = found.end(begun)
    except BaseException:
        _RINGS.clear()  # what comes back on it later would be taken for another file's
        raise
    if trouble:
        raise OSError(trouble, os.strerror(trouble))
    return begun


class Pace:
    """What way syncs go in this process; what the last ones took tells what the disk is like."""

    __slots__ = ("side_by_side",)

    def __init__(self) -> None:
        self.side_by_side = False

    def sync(self, fds: Sequence[int]) -> None:
        """Make files and folders last.  Raises OSError."""
        begun = time.monotonic()
        done = sync(fds) if self.side_by_side else 0
        for fd in fds[done:]:
            os.fsync(fd)
        self.side_by_side = time.monotonic() - begun > (FAST if done else SLOW)


PACE = Pace()
