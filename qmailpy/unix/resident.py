"""A child that stays: it takes one piece of work after another on a private connection, and leaves nothing of one for the next.

A piece of work is one message of bytes, with descriptors for the child's 0, 1 and 2 or without any.  The answer is one message: exit status,
whether the child ends now, and bytes of the child's.  Nobody else has an end of the connection; its end is the end of the child.
"""

from __future__ import annotations

import _signal
import _socket
import os
import struct

from qmailpy.exits import TENURE
from qmailpy.unix import limits
from qmailpy.unix.process import IGNORED, fork_working, own_group
from qmailpy.unix.signals import MISCELLANEOUS, Dispositions, ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Work = Callable[[bytes], tuple[int, bytes]]

LINK = 3  # the connection's descriptor in the child
PASSED = struct.Struct("ii")  # message, output
OPEN = "/proc/self/fd"  # has all open descriptors, its own among them
LIMIT = 1 << 16  # bytes of one message
MOST_WORK = 1000  # pieces; then the child ends, and a fresh one takes its place
MOST_GROWTH = 32 << 20  # bytes, likewise
LOOK = 50  # pieces of work between two looks at its size
ORDINARY = tuple(number for number in range(1, 32) if number not in (_signal.SIGKILL, _signal.SIGSTOP))


class Resident:
    """Such a child, as its parent has it.  `pid`: its process id."""

    __slots__ = ("pid", "_socket")

    def __init__(self, pid: int, connected: _socket.socket) -> None:
        self.pid, self._socket = pid, connected

    def fileno(self) -> int:
        """The descriptor that has something to read when the child has answered, or has ended."""
        return self._socket.fileno()

    def give(self, data: bytes, fds: Sequence[int]) -> None:
        """Have it do a piece of work, with these descriptors as its 0 and 1 (and 2, the same as 1), or none.  Raises OSError: it has ended."""
        passed = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, PASSED.pack(*fds))] if fds else []
        self._socket.sendmsg([data], passed, _socket.MSG_NOSIGNAL | _socket.MSG_DONTWAIT)

    def answer(self) -> bytes | None:
        """What it says: status, 1 if it ends now, more; empty if it has ended; None if there is nothing yet."""
        try:
            return self._socket.recv(LIMIT, _socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def close(self) -> None:
        """Have it end, when it has done what it is at."""
        self._socket.close()


def start(begin: Callable[[], Work], given: Mapping[int, int], failed: int) -> Resident:
    """Start such a child.  Raises OSError.

    begin   is called in it, once: becomes who it is to be, and says what does a piece of work: gives the exit status and bytes for the answer
    given   descriptors that it has all the time; without 0, 1 and 2 it gets these with each piece of work
    failed  its exit status if `begin` raises, or the work does what no program of ours does
    """
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    try:
        pid = fork_working(lambda: _Life(begin, passed=not given).run(), {**given, LINK: theirs.fileno()}, failed)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return Resident(pid, ours)


class _Life:
    """The child's side.  `passed`: descriptors come with the work."""

    def __init__(self, begin: Callable[[], Work], *, passed: bool) -> None:
        os.set_inheritable(LINK, False)
        self.link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, LINK)
        self.passed = passed
        self.room = _socket.CMSG_SPACE(PASSED.size)
        own_group()  # what a user's program sends to its own process group reaches this child and nobody else
        self.umask = os.umask(0)
        os.umask(self.umask)
        ignore(*IGNORED, *MISCELLANEOUS)  # as every program of ours does while it works
        self.dispositions = Dispositions(ORDINARY)
        self.forked = False
        os.register_at_fork(after_in_parent=self._note_fork)
        self.work = begin()
        TENURE.warm = True
        self.folder = os.getcwd()
        self.size = limits.private_bytes()

    def _note_fork(self) -> None:
        self.forked = True

    def run(self) -> int:
        """Work until there is a reason to end."""
        count = 0
        while True:
            data, control, flags, _ = self.link.recvmsg(LIMIT, self.room)
            if not data:
                return 0
            if flags & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
                raise OSError("a part of the work is missing")
            if self.passed:
                self._place(control)
            status, more = self.work(data)
            count += 1
            ends = not self._clear() or self._spent(count)
            self.link.send((bytes((status & 255, ends)) + more)[:LIMIT])
            if ends:
                return 0

    def _place(self, control: Sequence[tuple[int, int, bytes]]) -> None:
        """Have the passed descriptors as 0, 1 and 2.  These are closed while we wait, so that the system has put them there itself."""
        if [part for _, _, part in control] != [PASSED.pack(0, 1)]:
            raise OSError("descriptors are not where they should be")
        os.dup2(1, 2)

    def _clear(self) -> bool:
        """Be what we were; False if that cannot be."""
        try:
            if self.passed and not self._empty():
                return False
            self.dispositions.restore()
            os.umask(self.umask)
            os.chdir(self.folder)
        except OSError:
            return False
        return True

    def _empty(self) -> bool:
        """Close what was passed; whether nothing else is open.  Whoever has left something open may have kept an object that closes that number later."""
        found = len(os.listdir(OPEN))
        os.closerange(0, LINK)
        return found == len((0, 1, 2, LINK, OPEN))

    def _spent(self, count: int) -> bool:
        """Whether a fresh child should take the place of this one.  What was forked in the work may live on, and know us."""
        grown = count % LOOK == 0 and limits.private_bytes() > self.size + MOST_GROWTH
        return bool(self.forked or TENURE.reason or count >= MOST_WORK or grown)
