"""Where a pool's workers wait for work, all at one socket, and how they tell their supervisor that few are left."""

from __future__ import annotations

import os
import select

from qmailpy.unix.stage import high

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.unix.handover import Door


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
        return {fd: fd for fd in (self.door.fileno(), self._ring, self._alive) if fd >= 0}

    def enter(self, other: int | None = None) -> None:
        """In a worker, before it waits; `other`: a descriptor on which work comes in as well."""
        for fd in self.kept():
            os.set_inheritable(fd, False)
        poll = select.epoll()
        self._poll = select.epoll.fromfd(high(os.dup(poll.fileno())))
        poll.close()
        # Of all that wait, one is woken.
        for waited_for in (self.door.fileno(), other):
            if waited_for is not None and waited_for >= 0:
                self._poll.register(waited_for, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        self._poll.register(self._alive, select.EPOLLIN)

    def wait(self) -> list[int]:
        """Wait until there may be work; the descriptors on which it may be, none if the supervisor has gone."""
        assert self._poll is not None
        ready = [fd for fd, _ in self._poll.poll()]
        return [] if self._alive in ready else ready

    @property
    def alive(self) -> int:
        """A descriptor that ends when the supervisor has gone."""
        return self._alive

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
        """In the supervisor: nobody else comes in.  Workers end when they have done what they are at."""
        self.door.close()
