"""The process as one request finds it: descriptors, folder, umask, signals, limits; and afterwards as if nothing had been.

A worker of a pool has one.  Its own descriptors have numbers from HIGHEST on, and are in no program's way.
"""

from __future__ import annotations

import _signal
import fcntl
import os

from qmailpy.text.poolwire import HIGHEST
from qmailpy.unix import limits
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.process import any_ended
from qmailpy.unix.signals import MISCELLANEOUS, Dispositions, ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qmailpy.text.poolwire import Limit, Request

OWN = (_signal.SIGKILL, _signal.SIGSTOP, _signal.SIGTERM, _signal.SIGIO)  # those that the worker needs, or nobody can have
ORDINARY = tuple(number for number in range(1, 32) if number not in OWN)
UMASK = 0o077


class Stage:
    """One for the process: what it is now is what it will be after each request.  `limits`: the process's own."""

    __slots__ = ("limits", "_nothing", "_dispositions", "_lent", "_theirs", "_pid")

    def __init__(self) -> None:
        self.limits = limits.limits()
        self._pid = os.getpid()
        self._nothing = high(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
        ignore(*MISCELLANEOUS)  # a HUP for the pool is none for its workers; all programs of pools ignore them
        self._dispositions = Dispositions(ORDINARY)
        self._lent: Mapping[int, int] = {}
        self._theirs: Sequence[Limit] | None = None
        os.register_at_fork(after_in_child=self._in_child)
        self.clear()

    def set(self, request: Request, fds: Sequence[int], lent: Mapping[int, int]) -> None:
        """Be what a request wants.  The descriptors that came with it are taken over.  Raises OSError; then `clear` is to follow."""
        place(fds, request.descriptors, directory=request.directory)
        os.umask(request.umask)
        # Whoever cannot wait for children cannot work.
        ignore(*(number for number in ORDINARY if request.ignored >> number & 1 and number != _signal.SIGCHLD))
        self._theirs, self._lent = request.limits.pairs, lent
        for resource, soft in lent.items():
            limits.set_soft(resource, soft)

    def clear(self) -> None:
        """Be what we were."""
        self._theirs = None
        self._dispositions.restore()
        for resource in self._lent:
            limits.set_soft(resource, self.limits[resource][0])
        self._lent = {}
        os.umask(UMASK)
        os.chdir("/")
        for number in range(3):
            os.dup2(self._nothing, number, inheritable=True)
        os.closerange(3, HIGHEST)
        for _ in any_ended():
            pass

    def silence(self, fd: int) -> None:
        """Have a descriptor lead nowhere."""
        os.dup2(self._nothing, fd, inheritable=False)

    def on_exit(self, told: Callable[[int], bool]) -> None:
        """If a program leaves the process in the middle of its work, `told` learns its exit status before; not if a child of it leaves its own.

        If it was the program's, and is told to whoever it is for, the process's own is 0: nothing is wrong with it.
        """
        leave = os._exit

        def tell(status: int) -> None:
            leave(0 if os.getpid() == self._pid and told(status) else status)

        os._exit = tell  # type: ignore[assignment]

    def _in_child(self) -> None:
        """A child of a program: its limits are the caller's, hard ones as well.  What it executes gets them from it."""
        if self._theirs is not None:
            limits.set_all(self._theirs)


def place(fds: Sequence[int], numbers: Sequence[int], *, directory: bool) -> None:
    """Give descriptors these numbers, and close all others below HIGHEST; `directory`: the last one is the folder to be in.  Raises OSError."""
    above = max(numbers, default=-1) + 1
    moved: list[int] = []
    try:
        if fds and min(fds) < above:  # one would take the place of another that is still to be moved
            moved += (high(fd) for fd in fds)
            fds = moved
        for number, fd in zip(numbers, fds, strict=False):
            os.dup2(fd, number, inheritable=True)
        for number in range(above):
            if number not in numbers:
                close_quietly(number)
        if directory:
            os.fchdir(fds[-1])
    finally:
        os.closerange(above, HIGHEST)
        close_quietly(*moved)


def high(fd: int) -> int:
    """The same open file under a number that is in no program's way; the old number is closed."""
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGHEST)
    os.close(fd)
    return copy
