"""A process that is to end with the one that started it, and learns of its end by a pipe that only that one reads."""

from __future__ import annotations

import fcntl
import select

from qmailpy.unix.signals import off_io, on_io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Orphaned(BaseException):  # no library that catches what its own imports raise is to catch this
    """Nobody reads from the pipe any more."""


class while_read:  # noqa: N801 (reads as a word: with while_read(fd): ...)
    """Within the block Orphaned is raised, in the middle of it, when nobody reads any more from the pipe that `fd` writes to."""

    __slots__ = ("_fd", "_flags", "_watch")

    def __init__(self, fd: int) -> None:
        self._fd, self._flags, self._watch = fd, fcntl.fcntl(fd, fcntl.F_GETFL), select.poll()
        self._watch.register(fd, 0)  # of a pipe without readers the system tells an error, asked or not

    def __enter__(self) -> None:
        on_io(self._fd, self._flags, self._look)

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        off_io(self._fd, self._flags)

    def _look(self) -> None:
        if self._watch.poll(0):
            raise Orphaned
