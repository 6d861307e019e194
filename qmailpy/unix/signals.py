"""Signals: those a daemon waits for, those a program must survive, and time limits for a whole program."""

from __future__ import annotations

import _signal  # the module signal builds enums at import, which costs milliseconds
import fcntl
import os

from qmailpy.unix.fds import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import NoReturn

ALRM, CHLD, HUP, INT, PIPE, TERM = _signal.SIGALRM, _signal.SIGCHLD, _signal.SIGHUP, _signal.SIGINT, _signal.SIGPIPE, _signal.SIGTERM
KILL, QUIT = _signal.SIGKILL, _signal.SIGQUIT
# What a terminal or a limit sends to whole process groups, and a program that holds a message must not die of.
MISCELLANEOUS = (PIPE, _signal.SIGVTALRM, _signal.SIGPROF, _signal.SIGQUIT, INT, HUP, _signal.SIGXCPU, _signal.SIGXFSZ)
LONGEST = (1 << 31) - 1  # seconds of a timer: as good as for ever
TIMERS = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)


class _Restored:
    """A block with other signal handlers; behind it they are what they were."""

    def __init__(self) -> None:
        self._old: list[tuple[int, object]] = []

    def _set(self, number: int, handler: object) -> None:
        if (old := _signal.getsignal(number)) != handler:  # which is cheap: no system call
            _signal.signal(number, handler)
            self._old.append((number, old))

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in reversed(self._old):
            _signal.signal(number, handler if handler is not None else _signal.SIG_DFL)
        self._old.clear()


class shielded(_Restored):  # noqa: N801 (reads as a word: with shielded(): ...)
    """Within the block the miscellaneous signals are ignored (C: sig_pipeignore, sig_miscignore), and none is blocked."""

    def __init__(self) -> None:
        super().__init__()
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
        for number in MISCELLANEOUS:
            self._set(number, _signal.SIG_IGN)


class on_bug(_Restored):  # noqa: N801
    """Within the block, SIGABRT and its like call `died`, which must leave the process (C: sig_bugcatch)."""

    def __init__(self, died: Callable[[], object]) -> None:
        super().__init__()
        for number in (_signal.SIGABRT, _signal.SIGILL, _signal.SIGFPE, _signal.SIGBUS, _signal.SIGSYS):
            self._set(number, lambda number, frame: died())


class deadline(_Restored):  # noqa: N801
    """If the block takes longer than `seconds`, `late` is called in the middle of it; it may raise or leave the process."""

    def __init__(self, seconds: float, late: Callable[[], object]) -> None:
        super().__init__()
        self._set(ALRM, lambda number, frame: late())
        _signal.setitimer(_signal.ITIMER_REAL, min(seconds, LONGEST))

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        _signal.setitimer(_signal.ITIMER_REAL, 0)
        super().__exit__(kind, problem, trace)


class Late(Exception):
    """A time limit is over."""


def too_late() -> NoReturn:
    """What a deadline does in a program that ends with it.  Raises Late."""
    raise Late


def on_signal(number: int, come: Callable[[], object]) -> None:
    """From now on `come` is called, in the middle of whatever is done, when a signal comes."""
    _signal.signal(number, lambda number, frame: come())


def ignore(*numbers: int) -> None:
    """From now on ignore some signals; a program that is executed begins so as well."""
    for number in numbers:
        if _signal.getsignal(number) != _signal.SIG_IGN:  # which is cheap: no system call
            _signal.signal(number, _signal.SIG_IGN)


def on_io(fd: int, flags: int, come: Callable[[], object]) -> None:
    """Call `come` now, and from now on, in the middle of whatever is done, when something happens at the other end of a pipe or connection.

    flags  the descriptor's, without this; `off_io` wants them as well
    """
    on_signal(_signal.SIGIO, come)
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_ASYNC)
    come()


def off_io(fd: int, flags: int) -> None:
    """No longer."""
    fcntl.fcntl(fd, fcntl.F_SETFL, flags)
    ignore(_signal.SIGIO)


class Dispositions:
    """How this process takes these signals when this is made, with none blocked and no timer running, so that it can do so again."""

    __slots__ = ("_handlers",)

    def __init__(self, numbers: Iterable[int]) -> None:
        self._handlers = {number: _signal.getsignal(number) for number in numbers}

    def restore(self) -> None:
        """Be as it was."""
        for timer in TIMERS:
            _signal.setitimer(timer, 0)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
        for number, handler in self._handlers.items():
            if _signal.getsignal(number) != handler:
                _signal.signal(number, _signal.SIG_DFL if handler is None else handler)


class Wakeup:
    """Signals as something to read: select on `fd`, then `take` what came.  Nothing is lost in between.

    numbers  the signals to wait for
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self.fd, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._restored = _Restored()
        self._wakeup = _signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, list(numbers))
        for number in numbers:
            self._restored._set(number, lambda number, frame: None)

    def take(self) -> set[int]:
        """The signals that came since the last call."""
        try:
            return set(os.read(self.fd, 4096))
        except BlockingIOError:
            return set()

    def close(self) -> None:
        """Put everything back as it was."""
        self._restored.__exit__(None, None, None)
        _signal.set_wakeup_fd(self._wakeup)
        close_quietly(self.fd, self._write)


class interruptible(_Restored):  # noqa: N801
    """Within the block TERM and HUP raise KeyboardInterrupt as INT does, so that what was begun is taken down."""

    def __init__(self) -> None:
        super().__init__()
        for number in (TERM, HUP):
            self._set(number, _interrupt)


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
