"""A pool's supervisor: has everything imported, forks workers as they are needed, and stands at the door when there are no more to be had."""

from __future__ import annotations

import os
import time

from qmailpy.exits import TEMPORARY, bug, complain
from qmailpy.pool.kind import SOCKET
from qmailpy.pool.worker import SPARE, Worker, tell
from qmailpy.text.poolwire import BUSY
from qmailpy.unix import board
from qmailpy.unix.board import Board
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.gate import Gate
from qmailpy.unix.handover import Door
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import any_ended, fork_working, send_signal
from qmailpy.unix.signals import CHLD, HUP, INT, KILL, TERM, Wakeup
from qmailpy.unix.stage import high

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.pool.kind import Kind

QUIET = 30.0  # seconds after which one of too many idle workers is let go
PAUSE = 1.0  # seconds before a worker is started in the place of one that failed
MOST_IDLE = 2 * SPARE
READY = b"R"


class Supervisor:
    """One pool.

    folder  where its socket is
    size    the most workers
    lock    a descriptor that holds the pool's lock
    keeper  a descriptor that the keeper reads from: it is told there that we are ready, and has gone if nobody reads there any more
    log     a descriptor
    """

    def __init__(self, kind: Kind, folder: str, size: int, lock: int, keeper: int, log: int) -> None:
        self.kind, self.size, self.lock, self.keeper, self.log = kind, size, lock, high(keeper), high(os.dup(log))
        self.board = Board(size)
        self.door = Door(f"{folder}/{SOCKET}", kind.socket_mode)
        self.gate = Gate(self.door)
        self.wakeup = Wakeup([CHLD, TERM, HUP, INT])
        self.workers: dict[int, int] = {}  # slot by process id
        self.poll = Poll()
        self.watches = self.ending = False
        self.resting_until = 0.0

    def run(self) -> int:
        """Serve until the keeper says that it is enough, or has gone."""
        for fd in (self.wakeup.fd, self.gate.alarm, self.keeper):
            self.poll.add(fd)
        self.grow()
        try:
            os.write(self.keeper, READY)
        except OSError:
            pass  # it has gone, and we shall see that at once
        while self.workers or not self.ending:
            ready = set(self.poll.wait(self.patience()))
            signals = self.wakeup.take() if self.wakeup.fd in ready else set()
            if TERM in signals or self.keeper in ready:
                self.end()
            self.reap()
            if self.ending:
                continue
            if self.gate.alarm in ready:
                self.gate.calm()
            if not ready:
                self.shrink()
            self.grow()
            self.stand_in(self.door.fileno() in ready)
        return 0

    def patience(self) -> float:
        """Seconds until there is something to do, whatever happens."""
        return min(QUIET, max(self.resting_until - time.monotonic(), 0.01)) if self.resting_until else QUIET

    def grow(self) -> None:
        """Have spare workers, as far as there may be any."""
        if self.resting_until > time.monotonic():
            return
        self.resting_until = 0.0
        while self.board.count(board.IDLE) < SPARE and (slot := self.board.first(board.EMPTY)) is not None:
            self.board.put(slot, board.IDLE)
            try:
                self.workers[self.fork(slot)] = slot
            except OSError:
                self.board.put(slot, board.EMPTY)
                self.rest("unable to fork")
                return

    def fork(self, slot: int) -> int:
        """Start one worker; its process id."""
        def work() -> int:
            self.wakeup.close()
            try:
                return Worker(self.kind, self.board, slot, self.gate, self.log).run()
            except Exception as problem:  # noqa: BLE001 (a bug in the pool itself: say where; another worker takes its place)
                complain(f"qmail-pool: {self.kind.name}: {bug(problem)}", self.log)
                return TEMPORARY

        return fork_working(work, {**self.gate.kept(), self.log: self.log})

    def rest(self, why: str) -> None:
        """Something is wrong, and would be so again at once."""
        self.resting_until = time.monotonic() + PAUSE
        complain(f"qmail-pool: {self.kind.name}: {why}", self.log)

    def reap(self) -> None:
        """Note the workers that have ended."""
        for pid, status in any_ended():
            slot = self.workers.pop(pid, None)
            if slot is None:
                continue
            self.board.put(slot, board.EMPTY)
            if status and not self.ending:
                self.rest(f"worker {pid} ended with status {os.waitstatus_to_exitcode(status)}")

    def shrink(self) -> None:
        """Let one idle worker go, if there are many."""
        idle = [pid for pid, slot in self.workers.items() if self.board.state(slot) == board.IDLE]
        if len(idle) > MOST_IDLE:
            send_signal(idle[-1], TERM)

    def stand_in(self, somebody_waits: bool) -> None:
        """While all workers are busy and there may be no more, or there can be none, tell those who come that it is so.

        Else what they have sent would wait here, with copies of their descriptors, and their clients' connections would end late.
        """
        full = self.board.count(board.BUSY) == self.size or not self.workers
        if full and somebody_waits and (link := self.door.accept()) is not None:
            tell(link, BUSY)
            link.close()
        if full != self.watches:
            self.poll.add(self.door.fileno()) if full else self.poll.drop(self.door.fileno())
            self.watches = full

    def end(self) -> None:
        """The first time: nobody else comes in, and workers finish what they are at.  The second time: they end."""
        if not self.ending:
            self.ending = True
            self.door.remove()
            while (link := self.door.accept()) is not None:
                tell(link, BUSY)
                link.close()
            for fd in (self.keeper, self.gate.alarm, self.door.fileno()):
                self.poll.drop(fd)
            self.gate.close()
            close_quietly(self.lock, self.log, self.keeper)
            os.dup2(0, 2)
            number = TERM
        else:
            number = KILL
        for pid in self.workers:
            send_signal(pid, number)
