"""Hand a message to qmail-queue, or to the program that QMAILQUEUE names (qmail-queue(8); aio: QMAILQUEUE)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import TENURE, Temporary
from qmailpy.queue.exitcodes import CUSTOM, CUSTOM_LIMIT, NO_PROGRAM, READ_ERROR, TEXTS, UNRUNNABLE, text_of
from qmailpy.unix.fds import BLOCK, close_quietly, may_complain, set_nonblocking, write_all
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import ended, pipe, spawn, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qmailpy.home import Home
    from qmailpy.queue.workers import Taken

ENOUGH = 65536  # of what a queue program says; the rest is read and thrown away
PATIENCE = 0.1  # seconds after which we look whether it has ended, though its descriptors are open
GRACE = 5  # seconds for a program to see that its message was given up


class Executed:
    """A queue program that is our child.  `pid`: what replies and logs call "qp"."""

    __slots__ = ("pid",)

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def ended(self) -> int | None:
        """Its exit status, or minus the signal; None if it still runs."""
        return ended(self.pid)

    def wait(self) -> int:
        """The same, when it has ended."""
        return wait(self.pid)

    def close(self) -> None:
        """It is not our business any more."""


class QueueProcess:
    """One queue program at work.

    The order of calls: put (message), envelope, recipient ..., close.  `fail` at any time makes the program get
    an envelope without its end, so that it queues nothing; `abandon` ends it all at any time.
    `pid` is what replies and logs call "qp", once the message is queued.
    Raises Temporary("qqt failure") if there can be no child.

    Where a pool's worker is to do it, it is asked when there is no more room in the pipes, or when all is written: most messages
    are whole then, and one worker less stands by while a client sends.
    """

    def __init__(self, home: Home, env: Mapping[str, str]) -> None:
        self._failed = False
        self._parts: list[bytes] = []
        self._size = 0
        self._said: dict[int, bytes] = {}
        self._open: set[int] = set()  # of those, what has not come to its end
        self._errors = self._texts = -1
        self._poll = Poll()
        self._home, self._env = home, env
        self._work: Executed | Taken | None = None
        self._verdict = TEXTS[READ_ERROR]  # where nobody was asked
        self.pid = 0
        fds: list[int] = []
        try:
            for _ in range(2):
                fds += pipe()
            message, self._target, addresses, self._envelope = fds
            self._sources = message, addresses
            # So that we can listen while we write: a program that says much must not wait for us while we wait for it.
            set_nonblocking(self._target)
            set_nonblocking(self._envelope)
            self._ours = set(fds)  # not closed yet
            self._pooled = self._may_hand_over()
            if not self._pooled:
                self._begin()
        except OSError as problem:
            close_quietly(*fds)
            raise Temporary("qqt failure", "4.3.0") from problem

    def _may_hand_over(self) -> bool:
        """Whether a pool could do it: if this is a warm process."""
        if not TENURE.warm:
            return False
        from qmailpy.queue.workers import may_take

        return may_take(self._home, self._env)

    def _begin(self, *, whole: bool = False) -> None:
        """Have the work begun; `whole`: all is written.  Raises OSError."""
        self._work = (self._hand_over(whole=whole) if self._pooled else None) or self._execute()
        self.pid = self._work.pid
        self._shut(*self._sources)

    def _begin_late(self, *, whole: bool = False) -> None:
        """The same, when there is no way back for the caller."""
        try:
            self._begin(whole=whole)
        except OSError:
            self._failed, self._verdict = True, NO_PROGRAM

    def _hand_over(self, *, whole: bool) -> Taken | None:
        """Have a pool do it; None if it does not.  Raises OSError."""
        from qmailpy.queue.workers import taken

        found = taken(self._home, self._env, *self._sources, whole=whole)
        if found is not None:
            self._poll.add(found.fileno())
        return found

    def _execute(self) -> Executed:
        """Start the queue program.  Raises OSError."""
        message, addresses = self._sources
        name = self._env.get("QMAILQUEUE") or "bin/qmail-queue"
        fds: list[int] = []
        try:
            for _ in range(2):
                fds += pipe()
            self._errors, errors, self._texts, texts = fds
            # Programs of different schools write their custom text to descriptor 2, 4 or 6, some to two of them.
            given = {0: message, 1: addresses, 2: errors, 4: texts, 6: texts}
            pid = spawn([name], self._env, given, program=name, cwd=self._home.path, unrunnable=UNRUNNABLE)
        except OSError:
            close_quietly(*fds)
            raise
        close_quietly(errors, texts)
        for fd in (self._errors, self._texts):
            self._said[fd] = b""
            self._poll.add(fd)
        self._ours.update(self._said)
        self._open.update(self._said)
        return Executed(pid)

    def put(self, data: bytes) -> None:
        """Add bytes to what is being written."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= BLOCK:
            self._flush()

    def fail(self) -> None:
        """Make the program refuse the message."""
        self._failed = True
        self._parts.clear()
        self._size = 0

    def envelope(self, sender: bytes) -> None:
        """End the message and begin the envelope."""
        self._flush()
        self._shut(self._target)
        self._target = self._envelope
        self.put(b"F" + sender + b"\0")

    def recipient(self, address: bytes) -> None:
        """Add a recipient."""
        self.put(b"T" + address + b"\0")

    def close(self) -> str:
        """End the envelope and wait: "" if the message is queued; else "D..." or "Z..." and why not."""
        if self._target == self._envelope:
            self.put(b"\0")
            self._flush()
        self._shut(self._target, self._envelope)
        if self._work is None and not self._failed:
            self._begin_late(whole=True)
        if self._work is None:
            self._shut(*self._sources)
            return self._verdict
        code = self._outcome(self._work)
        errors, texts = self._said.get(self._errors, b""), self._said.get(self._texts, b"")
        self._shut(self._errors, self._texts)
        self._work.close()
        if errors and code != CUSTOM:
            pass_on(errors)
        if code == 0 and self._failed:
            return TEXTS[READ_ERROR]
        return text_of(code, (texts or errors)[:CUSTOM_LIMIT])

    def abandon(self) -> None:
        """Give the message up, wherever it was interrupted: the program queues nothing if it has not got the end of the envelope.

        It is not waited for longer than it should take to see that.
        """
        self.fail()
        self._poll.drop(self._target)
        self._shut(self._target, self._envelope, *self._sources)
        if self._work is None:
            return
        end = time.monotonic() + GRACE
        try:
            while self._work.ended() is None and time.monotonic() < end:
                self._hear(self._poll.wait(PATIENCE))
        except ChildProcessError:
            pass  # its end had been seen already
        self._shut(self._errors, self._texts)
        self._work.close()

    def _shut(self, *fds: int) -> None:
        """Close descriptors, each once: its number may be somebody else's later."""
        for fd in self._ours.intersection(fds):
            self._ours.remove(fd)
            close_quietly(fd)

    def _flush(self) -> None:
        data = memoryview(b"".join(self._parts))
        self._parts.clear()
        self._size = 0
        while data and not self._failed:
            try:
                data = data[os.write(self._target, data):]
            except BlockingIOError:
                if self._work is None:
                    self._begin_late()
                    continue
                self._poll.add(self._target, write=True)
                self._hear(self._poll.wait())
                self._poll.drop(self._target)
            except OSError:
                self._failed = True

    def _hear(self, ready: Iterable[int]) -> None:
        """Read what the program says on descriptor 2, and on 4 or 6."""
        for fd in self._open.intersection(ready):
            data = os.read(fd, BLOCK)
            self._said[fd] = (self._said[fd] + data)[:ENOUGH]
            if not data:
                self._poll.drop(fd)
                self._open.remove(fd)

    def _outcome(self, work: Executed | Taken) -> int:
        """Hear the program out: its exit status, or minus the signal.

        What it has started and left behind may hold its descriptors for ever; that is not waited for.
        """
        code = None
        while code is None and self._open:
            self._hear(self._poll.wait(PATIENCE))
            code = work.ended()
        self._hear(self._poll.wait(0))  # its last words
        return work.wait() if code is None else code


def pass_on(said: bytes) -> None:
    """Pass on what a queue program said on its standard error, unless ours is the client's connection."""
    if not may_complain():
        return
    try:
        write_all(2, said)
    except OSError:
        pass
