"""Wait for one of many descriptors, with poll: no limit on their numbers, no set to build anew each time."""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Poll:
    """The descriptors that somebody waits for."""

    __slots__ = ("_poll",)

    def __init__(self) -> None:
        self._poll = select.poll()

    def add(self, fd: int, *, write: bool = False) -> None:
        """Wait for `fd` to have something to read, or (write) to take something; its end counts as either."""
        self._poll.register(fd, select.POLLOUT if write else select.POLLIN)

    def drop(self, fd: int) -> None:
        """Wait for it no longer; it may never have been added."""
        try:
            self._poll.unregister(fd)
        except KeyError:
            pass

    def wait(self, seconds: float | None = None) -> Iterable[int]:
        """The descriptors that are ready; none if `seconds` are over first."""
        return [fd for fd, _ in self._poll.poll(None if seconds is None else max(0, int(seconds * 1000 + 0.999)))]
