"""Where a pool's workers wait for work, all at one socket, and how they tell their supervisor that few are left."""

from __future__ import annotations

import os
import select

from qmailpy.unix.fds import close_quietly
from qmailpy.unix.stage import high

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.unix.handover import Door, Link


class Gate:
    """The supervisor makes one; each worker opens it for itself, and keeps it when it comes in.

    door    the listening socket
    alarm   what workers write to, and the supervisor reads
    """

    __slots__ = ("door", "alarm", "_ring", "_alive", "_life", "_poll")

    def __init__(self, door: Door) -> None:
        self.door = door
        door.move()
        self.alarm, self._ring = (high(fd) for fd in os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK))
        self._alive, self._life = (high(fd) for fd in os.pipe2(os.O_CLOEXEC))
        self._poll: select.epoll | None = None

    def kept(self) -> dict[int, int]:
        """The descriptors that a worker needs, for fork_working."""
        return {fd: fd for fd in (self.door.fileno(), self._ring, self._alive)}

    def enter(self) -> None:
        """In a worker, before it waits."""
        for fd in self.kept():
            os.set_inheritable(fd, False)
        poll = select.epoll()
        self._poll = select.epoll.fromfd(high(os.dup(poll.fileno())))
        poll.close()
        # Of all that wait, one is woken.
        self._poll.register(self.door.fileno(), select.EPOLLIN | select.EPOLLEXCLUSIVE)
        self._poll.register(self._alive, select.EPOLLIN)

    def next(self) -> Link | None:
        """The next connection; None if the supervisor has gone."""
        assert self._poll is not None
        while True:
            ready = [fd for fd, _ in self._poll.poll()]
            if self._alive in ready:
                return None
            if (link := self.door.accept()) is not None:
                return link

    def alert(self) -> None:
        """Tell the supervisor that few workers are idle."""
        try:
            os.write(self._ring, b"\0")
        except OSError:
            pass  # it has been told often enough, or has gone

    def calm(self) -> None:
        """In the supervisor: take note of all that was told."""
        try:
            os.read(self.alarm, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """In the supervisor: no more work.  Workers end when they have done what they are at."""
        self.door.close()
        close_quietly(self.alarm)
