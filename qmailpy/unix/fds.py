"""File descriptors: whole writes, copies, and reads and writes that end in time."""

from __future__ import annotations

import errno
import os
import select

BLOCK = 65536
LONGEST = (1 << 31) - 1  # milliseconds that poll can wait: 24 days


class TimedOut(OSError):
    """The other side did not read or write in time."""


def write_all(fd: int, data: bytes) -> None:
    """Write every byte of `data`; os.write alone may stop short.  Raises OSError."""
    done = os.write(fd, data)
    if done < len(data):
        view = memoryview(data)
        while done < len(data):
            done += os.write(fd, view[done:])


def read_all(fd: int, limit: int = 1 << 62) -> bytes:
    """What is left to read from `fd`, at most `limit` bytes."""
    parts, left = [], limit
    while left:
        data = os.read(fd, min(BLOCK, left))
        if not data:
            break
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


def copy(source: int, target: int) -> int:
    """Copy `source` to its end into `target`, block by block; the number of bytes.  Raises OSError."""
    total = 0
    while data := os.read(source, BLOCK):
        write_all(target, data)
        total += len(data)
    return total


def wait_readable(fd: int, seconds: float) -> None:
    """Return when `fd` has something to read, or its end; raise TimedOut when `seconds` are over."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if not poll.poll(max(0, min(int(seconds * 1000), LONGEST))):
        raise TimedOut("timed out")


def wait_writable(fd: int, seconds: float) -> None:
    """Return when `fd` takes more, or is broken; raise TimedOut when `seconds` are over."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    if not poll.poll(max(0, min(int(seconds * 1000), LONGEST))):
        raise TimedOut("timed out")


def write_in_time(fd: int, data: bytes, seconds: float) -> None:
    """Write every byte of `data`; `seconds` for each piece that the system takes.  Raises TimedOut, other OSErrors.

    Where we have waited, a piece is no more than a pipe is sure to take, so that a reader that does not read cannot hold the write.
    """
    view = memoryview(data)
    while view := view[write_at_once(fd, view):]:
        wait_writable(fd, seconds)
        view = view[os.write(fd, view[:select.PIPE_BUF]):]


def write_at_once(fd: int, data: memoryview) -> int:
    """Write what the system takes without waiting, though the descriptor may wait; the number of bytes, 0 where it cannot be asked so.  Raises OSError."""
    if not data:
        return 0
    try:
        return os.pwritev(fd, [data], -1, os.RWF_NOWAIT)
    except OSError as problem:
        if problem.errno in (errno.EAGAIN, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):  # the latter: a file, or an older system
            return 0
        raise


def close_quietly(*fds: int) -> None:
    """Close descriptors whose last words do not matter."""
    for fd in fds:
        try:
            os.close(fd)
        except OSError:
            pass


def set_nonblocking(fd: int) -> None:
    """Have writes return at once.  Only for pipes that nobody else shares."""
    os.set_blocking(fd, False)


def may_complain() -> bool:
    """Whether descriptor 2 is open, and not the client's connection on 0 or 1, as it is under some listeners: a line there would land in the dialogue."""
    found = identity(2)
    return found is not None and found not in (identity(0), identity(1))


def identity(fd: int) -> tuple[int, int] | None:
    """What tells an open file from all others; None if the descriptor is closed."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino
