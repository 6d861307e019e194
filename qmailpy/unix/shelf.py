"""Many that wait: for each its descriptors and some bytes, kept small, and one look at all of them (epoll)."""

from __future__ import annotations

import array
import resource
import select

from qmailpy.unix.fds import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

AT_ONCE = 256  # events of one look
OWN = 64  # descriptors that the process has beside those on the shelf


class Shelf:
    """Each of those that wait is known by the descriptor that it waits for, its source; another one may tell that it has gone, its guard.

    The descriptors on the shelf are its own until they are taken.
    """

    __slots__ = ("_poll", "_kept", "_guards", "_most", "_count")

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._kept: dict[int, tuple[float, bytes, bytes]] = {}  # when it is due, its descriptors, its bytes
        self._guards: dict[int, int] = {}  # source by guard
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OWN
        self._count = 0  # of descriptors

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, source: int) -> bool:
        return source in self._kept

    def has_room(self, descriptors: int) -> bool:
        """Whether so many more descriptors can be kept."""
        return self._count + descriptors <= self._most

    def add(self, fd: int, *, write: bool = False) -> None:
        """Look at a descriptor that is not on the shelf as well."""
        self._poll.register(fd, select.EPOLLOUT if write else select.EPOLLIN)

    def drop(self, fd: int) -> None:
        """No longer."""
        self._poll.unregister(fd)

    def put(self, source: int, fds: list[int], data: bytes, due: float, guard: int | None) -> None:
        """Keep one.  `fds` are all its descriptors, source and guard among them.  Raises OSError, with nothing kept, if it cannot be waited for."""
        self._poll.register(source, select.EPOLLIN)
        if guard is not None:
            self._poll.register(guard, select.EPOLLRDHUP)
            self._guards[guard] = source
        self._kept[source] = due, array.array("i", fds).tobytes(), data
        self._count += len(fds)

    def wait(self, seconds: float | None) -> tuple[list[int], list[int], list[int]]:
        """(those that have something to read, those that have gone, other descriptors that are ready); none if `seconds` are over first."""
        ready: list[int] = []
        gone: list[int] = []
        others: list[int] = []
        for fd, _ in self._poll.poll(seconds, AT_ONCE):
            if fd in self._kept:
                ready.append(fd)
            elif fd in self._guards:
                gone.append(self._guards[fd])
            else:
                others.append(fd)
        return ready, gone, others

    def quiet(self, source: int) -> None:
        """Keep one, but do not say again that it has something to read."""
        try:
            self._poll.unregister(source)
        except FileNotFoundError:
            pass

    def due(self, now: float) -> tuple[list[int], float | None]:
        """(those that are due; when the next of the others is: None, if there are none)."""
        late, following = [], None
        for source, (when, _, _) in self._kept.items():
            if when <= now:
                late.append(source)
            elif following is None or when < following:
                following = when
        return late, following

    def look_at(self, source: int) -> tuple[bytes, list[int]]:
        """The bytes and the descriptors of one."""
        _, fds, data = self._kept[source]
        return data, array.array("i", fds).tolist()

    def remove(self, source: int) -> None:
        """Let go of one, and close its descriptors."""
        _, fds = self.look_at(source)
        del self._kept[source]
        self._count -= len(fds)
        self.quiet(source)  # whoever has it now keeps the file open, and events with it
        for fd in self._guarding(fds):
            del self._guards[fd]
            self._poll.unregister(fd)
        close_quietly(*fds)

    def _guarding(self, fds: Iterable[int]) -> Iterator[int]:
        return (fd for fd in fds if fd in self._guards)
