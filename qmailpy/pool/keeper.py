"""A pool's keeper: the process that was started.  It has hardly anything in it, starts the supervisor, and another one if that dies or on HUP."""

from __future__ import annotations

import os
import time

from qmailpy.exits import complain
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import any_ended, pipe, send_signal, spawn
from qmailpy.unix.signals import CHLD, HUP, INT, QUIT, TERM, Wakeup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHORTEST, LONGEST = 1.0, 60.0  # seconds to wait before the next try
LOG_FD, LOCK_FD, KEEPER_FD = 2, 3, 4  # descriptors of a supervisor


class Child:
    """A supervisor.  `pipe`: where it says that it is ready, and sees that the keeper lives; `leaving`: it has been told to end."""

    __slots__ = ("pid", "pipe", "ready", "leaving")

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid, self.pipe = pid, pipe
        self.ready = self.leaving = False


class Keeper:
    """Keeps one pool running.

    name    of the pool, for the log
    command starts a supervisor: the file, and its arguments; what is installed when it is started
    lock    a descriptor that holds the pool's lock
    parent  a descriptor that has something to read when the pool is to end; None: it ends on TERM only
    """

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], lock: int, parent: int | None) -> None:
        self.name, self.command, self.env, self.lock, self.parent = name, command, env, lock, parent
        self.nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.again = False  # there was a HUP after the last supervisor was started
        self.children: list[Child] = []
        self.poll = Poll()
        self.ending = False
        self.pause, self.due = SHORTEST, 0.0

    def run(self) -> int:
        """Keep until TERM, or until the parent ends."""
        wakeup = Wakeup([CHLD, TERM, HUP, INT])
        self.poll.add(wakeup.fd)
        if self.parent is not None:
            self.poll.add(self.parent)
        self.start()
        while self.children or not self.ending:
            ready = set(self.poll.wait(None if self.ending else self.patience()))
            signals = wakeup.take() if wakeup.fd in ready else set()
            for child in [child for child in self.children if child.pipe in ready]:
                self.hear(child)
            self.reap()
            if signals & {TERM, INT} or self.parent in ready:
                self.end()
            elif not self.ending:
                self.go_on(anew=HUP in signals)
        return 0

    def patience(self) -> float | None:
        """Seconds until the next try is due; None: there is nothing to try."""
        return None if self.serving() else max(self.due - time.monotonic(), 0.0)

    def serving(self) -> bool:
        """Whether there is a supervisor, or one is on its way."""
        return any(not child.leaving for child in self.children)

    def start(self) -> None:
        """Start a supervisor; where none serves, callers may as well wait for it."""
        self.again = False
        source, target = pipe()
        program, *arguments = self.command
        early = [] if any(child.ready and not child.leaving for child in self.children) else ["-e"]
        fds = {0: self.nothing, 1: self.nothing, LOG_FD: 2, LOCK_FD: self.lock, KEEPER_FD: target}
        try:
            pid = spawn([os.path.basename(program), *early, *arguments], self.env, fds, program=program, ignored=(HUP,))
        except OSError:
            close_quietly(source)
            self.fail("unable to fork")
            return
        finally:
            close_quietly(target)
        self.children.append(Child(pid, source))
        self.poll.add(source)

    def hear(self, child: Child) -> None:
        """A supervisor is ready, and has taken the socket: those before it may go.  Or it has ended."""
        child.ready = bool(os.read(child.pipe, 1))
        self.poll.drop(child.pipe)
        if child.ready:
            self.pause = SHORTEST
            for other in self.children:
                if other is not child:
                    self.dismiss(other)

    def dismiss(self, child: Child) -> None:
        """Tell a supervisor to end, once: the sessions that it has are to be finished."""
        if not child.leaving:
            child.leaving = True
            send_signal(child.pid, TERM)

    def reap(self) -> None:
        """Note the supervisors that have ended."""
        for pid, status in any_ended():
            for child in [child for child in self.children if child.pid == pid]:
                self.children.remove(child)
                self.poll.drop(child.pipe)
                close_quietly(child.pipe)
                if not child.leaving:
                    code = os.waitstatus_to_exitcode(status)
                    what = "the supervisor has ended" if child.ready else "a supervisor did not get ready, but ended"
                    self.fail(f"{what} with status {code}")

    def fail(self, why: str) -> None:
        """There may be no supervisor now; try again, but not too often."""
        complain(f"qmail-pool: {self.name}: {why}")
        self.due = time.monotonic() + self.pause
        self.pause = min(self.pause * 2, LONGEST)

    def go_on(self, *, anew: bool) -> None:
        """Have a supervisor; `anew`: one of the code that is installed now.  One that is under way may have loaded what was there before."""
        self.again |= anew
        under_way = any(not child.ready and not child.leaving for child in self.children)
        if (self.again and not under_way) or (not self.serving() and time.monotonic() >= self.due):
            self.start()

    def end(self) -> None:
        """The pool is to end; the second time: at once.  Neither the log nor the lock is kept for workers that have something to finish."""
        if self.ending:
            for child in self.children:
                send_signal(child.pid, QUIT)
        else:
            self.ending = True
            if self.parent is not None:
                self.poll.drop(self.parent)
            close_quietly(self.lock)
            os.dup2(self.nothing, 1)
            os.dup2(self.nothing, 2)
        for child in self.children:
            self.dismiss(child)
