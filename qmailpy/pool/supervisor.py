"""A pool's supervisor: has everything imported, forks workers as they are needed, and stands at the door when there are no more to be had."""

from __future__ import annotations

import os
import time

from qmailpy.exits import TEMPORARY, bug, complain
from qmailpy.pool.worker import SPARE, Worker, refuse
from qmailpy.text.poolwire import BUSY
from qmailpy.unix import board
from qmailpy.unix.board import Board
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.gate import Gate
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import any_ended, fork_working, send_signal
from qmailpy.unix.signals import CHLD, HUP, INT, KILL, QUIT, TERM, Wakeup
from qmailpy.unix.stage import high

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.pool.kind import Kind
    from qmailpy.unix.handover import Door

QUIET = 30.0  # seconds after which one of too many idle workers is let go
PAUSE = 1.0  # seconds before a worker is started in the place of one that failed
MOST_IDLE = 2 * SPARE
RECENT = 1.0  # seconds: if a quarter of the workers have begun within that, it is better to wait for one than to start an interpreter
READY = b"R"


class Supervisor:
    """One pool.

    size    the most workers
    door    its socket
    lock    a descriptor that holds the pool's lock
    keeper  a descriptor that the keeper reads from: it is told there that we are ready, and has gone if nobody reads there any more
    log     a descriptor
    revive  is called when the keeper has gone, and this pool has let go of all that there can be one of; with the descriptor of the log
    """

    def __init__(self, kind: Kind, size: int, door: Door, lock: int, keeper: int, log: int, revive: Callable[[int], object]) -> None:
        self.kind, self.size, self.door, self.revive = kind, size, door, revive
        self.lock, self.keeper, self.log = lock, high(keeper), high(os.dup(log))
        self.board = Board(size)
        self.gate = Gate(self.door)
        self.wakeup = Wakeup([CHLD, TERM, HUP, INT, QUIT])
        self.workers: dict[int, int] = {}  # slot by process id
        self.poll = Poll()
        self.full = self.watches = self.ending = False
        self.resting_until = 0.0

    def run(self) -> int:
        """Serve until the keeper says that it is enough, or has gone."""
        for fd in (self.wakeup.fd, self.gate.alarm, self.keeper):
            self.poll.add(fd)
        self.grow()
        try:
            os.write(self.keeper, READY)
        except BrokenPipeError:
            pass  # it has gone: we shall see
        while self.workers or not self.ending:
            ready = set(self.poll.wait(self.patience()))
            signals = self.wakeup.take() if self.wakeup.fd in ready else set()
            if signals & {TERM, QUIT} or self.keeper in ready:
                self.end(anew=self.keeper in ready and not signals & {TERM, QUIT})
            if QUIT in signals:
                self.tell_workers(KILL)
            self.reap()
            if self.ending:
                continue
            if self.gate.alarm in ready:
                self.gate.calm()
            if not ready and not self.full:
                self.shrink()
            self.grow()
            self.stand_in()
        return 0

    def patience(self) -> float:
        """Seconds until there is something to do, whatever happens."""
        if self.full and not self.watches and not self.ending:
            return RECENT / 4
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

    def fork(self, slot: int) -> int:
        """Start one worker; its process id."""
        def work() -> int:
            self.wakeup.close()
            try:
                return Worker(self.kind, self.board, slot, self.gate, self.log).run()
            except Exception as problem:  # noqa: BLE001 (a bug in the pool itself: say where; another worker takes its place)
                complain(f"qmail-pool: {self.kind.name}: {bug(problem)}", self.log)
                return TEMPORARY

        return fork_working(work, {**self.gate.kept(), self.log: self.log}, ignored=(HUP,))

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

    def stand_in(self) -> None:
        """While all workers are busy, there may be no more, and few have become free of late, tell those who come that it is so.  Until then they wait."""
        self.full = self.board.count(board.BUSY) == self.size
        stuck = self.full and self.board.begun_since(time.monotonic() - RECENT) < max(self.size // 4, 1)
        if stuck:
            self.turn_away()
        if stuck != self.watches:
            self.poll.add(self.door.fileno()) if stuck else self.poll.drop(self.door.fileno())
            self.watches = stuck

    def turn_away(self) -> None:
        """Tell all who wait at the door that nobody has time for them."""
        while (link := self.door.accept()) is not None:
            refuse(link, BUSY)
            link.close()

    def end(self, *, anew: bool) -> None:
        """Nobody else comes in, and workers finish what they are at.  `anew`: there is to be another pool."""
        if self.ending:
            return
        self.ending = True
        self.door.remove()
        self.turn_away()
        for fd in (self.keeper, self.gate.alarm, self.door.fileno()):
            self.poll.drop(fd)
        self.gate.close()
        close_quietly(self.lock, self.keeper)
        if anew:
            self.revive(self.log)
        close_quietly(self.log)
        os.dup2(0, 2)
        self.tell_workers(TERM)

    def tell_workers(self, number: int) -> None:
        """Send a signal to all workers."""
        for pid in self.workers:
            send_signal(pid, number)
