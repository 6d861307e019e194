"""A pool's supervisor: has everything imported, forks workers as they are needed, and stands at the door when there are no more to be had."""

from __future__ import annotations

import os
import time

from qmailpy.exits import TEMPORARY, bug, complain
from qmailpy.pool.kind import SERVERS
from qmailpy.pool.lot import Yard
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

QUIET = 30.0  # seconds
LOOK, LOOKS = 0.5, 3  # seconds between looks at how many workers are idle; those that too many looks have found idle are let go
STEP = 0.05  # seconds between looks for sessions that have come back, while all workers are busy
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
    parking seconds that a silent session is kept by a worker; 0: it stays there
    """

    def __init__(self, kind: Kind, size: int, door: Door, lock: int, keeper: int, log: int, revive: Callable[[int], object], parking: float = 0) -> None:
        self.kind, self.size, self.door, self.revive = kind, size, door, revive
        self.lock, self.keeper, self.log = lock, high(keeper), high(os.dup(log))
        self.board = Board(size)
        self.gate = Gate(self.door)
        self.wakeup = Wakeup([CHLD, TERM, HUP, INT, QUIT])
        self.workers: dict[int, int] = {}  # slot by process id
        self.poll = Poll()
        self.yard = Yard(parking) if parking and kind is SERVERS else None
        self.lot: int | None = None  # its process id
        self.full = self.watches = self.ending = False
        self.pressed = b""  # the session that was waiting for a worker when we last looked
        self.next_look = self.look_again = 0.0
        self.surplus: list[int] = []  # idle workers beyond those that there may be, at our last looks
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
        while self.workers or self.lot is not None or not self.ending or self.somebody_is_back():
            ready = set(self.poll.wait(self.patience()))
            signals = self.wakeup.take() if self.wakeup.fd in ready else set()
            if signals & {TERM, QUIT} or self.keeper in ready:
                self.end(anew=self.keeper in ready and not signals & {TERM, QUIT})
            if QUIT in signals:
                self.tell_all(KILL)
            self.reap()
            if self.gate.alarm in ready:
                self.gate.calm()
            self.relieve()
            if self.ending:
                continue
            self.shrink()
            self.grow()
            self.stand_in()
        return 0

    def patience(self) -> float:
        """Seconds until there is something to do, whatever happens."""
        if self.yard is not None and (self.ending or self.full):
            return STEP
        if self.full and not self.watches and not self.ending:
            return RECENT / 4
        if len(self.workers) > MOST_IDLE:
            return LOOK
        return min(QUIET, max(self.resting_until - time.monotonic(), 0.01)) if self.resting_until else QUIET

    def grow(self) -> None:
        """Have spare workers, as far as there may be any."""
        if self.resting_until > time.monotonic():
            return
        self.resting_until = 0.0
        if self.yard is not None and self.lot is None:
            try:
                self.lot = self.fork_lot(self.yard)
            except OSError:
                self.rest("unable to fork")
                return
        while self.board.count(board.IDLE) < SPARE and (slot := self.board.first(board.EMPTY)) is not None:
            self.board.put(slot, board.IDLE)
            try:
                self.workers[self.fork(slot)] = slot
            except OSError:
                self.board.put(slot, board.EMPTY)
                self.rest("unable to fork")
                return

    def fork(self, slot: int, *, helper: bool = False) -> int:
        """Start one worker; its process id.  A helper serves sessions that have come back from the lot, and ends when there are none."""
        def work() -> int:
            worker = Worker(self.kind, self.board, slot, self.gate, self.log, self.yard)
            return worker.help() if helper else worker.run()

        return self.fork_any(work, {**self.gate.kept(), **(self.yard.kept() if self.yard is not None else {})})

    def fork_lot(self, yard: Yard) -> int:
        """Start the process that holds sessions which wait; its process id."""
        kept = {0: 0, 1: 0, 2: 0, self.gate.alive: self.gate.alive, **yard.kept_by_lot()}
        return self.fork_any(lambda: yard.lot(self.board, self.gate.alive, self.log).run(), kept)

    def fork_any(self, work: Callable[[], int], kept: dict[int, int]) -> int:
        """Start a process with these descriptors and the log; its process id."""
        def guarded() -> int:
            self.wakeup.close()
            try:
                return work()
            except Exception as problem:  # noqa: BLE001 (a bug in the pool itself: say where; another process takes its place)
                complain(f"qmail-pool: {self.kind.name}: {bug(problem)}", self.log)
                return TEMPORARY

        return fork_working(guarded, {**kept, self.log: self.log}, ignored=(HUP,))

    def rest(self, why: str) -> None:
        """Something is wrong, and would be so again at once."""
        self.resting_until = time.monotonic() + PAUSE
        complain(f"qmail-pool: {self.kind.name}: {why}", self.log)

    def reap(self) -> None:
        """Note the workers that have ended."""
        for pid, status in any_ended():
            if pid == self.lot:
                self.lot = None
                self.board.park(False)
                if not self.ending:
                    self.rest(f"the lot {pid} ended with status {os.waitstatus_to_exitcode(status)}")
            slot = self.workers.pop(pid, None)
            if slot is None:
                continue
            self.board.put(slot, board.EMPTY)
            if status and not self.ending:
                self.rest(f"worker {pid} ended with status {os.waitstatus_to_exitcode(status)}")

    def shrink(self) -> None:
        """Let those go that have been idle, beyond some, whenever we have looked lately: a crowd has come and gone."""
        if (now := time.monotonic()) < self.look_again:
            return
        self.look_again = now + LOOK
        idle = [pid for pid, slot in self.workers.items() if self.board.state(slot) == board.IDLE]
        self.surplus = [*self.surplus, len(idle) - MOST_IDLE][-LOOKS:]
        if len(self.surplus) == LOOKS and min(self.surplus) > 0:
            for pid in idle[-min(self.surplus):]:  # the youngest: those before them have all that they need by now
                send_signal(pid, TERM)
            self.surplus = []

    def stand_in(self) -> None:
        """While all workers are busy, there may be no more, and few have become free of late, or there can be none, tell those who come that it is so.

        Until then they wait; but not for ever, with copies of their descriptors, by which their clients' connections would end late.
        """
        self.full = self.board.count(board.BUSY) == self.size or not self.workers
        stuck = self.full and (not self.workers or self.board.begun_since(time.monotonic() - RECENT) < max(self.size // 4, 1))
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

    def somebody_is_back(self) -> bool:
        """Whether a session has come back from the lot, and no worker has taken it."""
        return self.yard is not None and bool(self.yard.waiting())

    def relieve(self) -> None:
        """Where no worker is to be had for a session that has come back, since all are busy for long, or since they end: start one for it.

        It cannot be refused, as those at the door, who then do their work themselves.
        """
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + STEP
        pressed = self.yard.waiting() if self.yard is not None and (self.ending or self.full) else b""
        if pressed and (self.ending or pressed == self.pressed):
            try:
                self.workers[self.fork(self.size, helper=True)] = self.size
            except OSError:
                pass  # the next time
        self.pressed = pressed

    def end(self, *, anew: bool) -> None:
        """Nobody else comes in, and workers finish what they are at.  `anew`: there is to be another pool."""
        if self.ending:
            return
        self.ending = True
        self.door.remove()
        self.turn_away()
        for fd in (self.keeper, self.door.fileno()):
            self.poll.drop(fd)
        self.gate.close()
        if self.yard is not None:
            self.yard.close()
        close_quietly(self.lock, self.keeper)
        if anew:
            self.revive(self.log)
        for log in (2, self.log):
            os.dup2(0, log)
        self.tell_all(TERM)

    def tell_all(self, number: int) -> None:
        """Send a signal to all workers, and to the lot."""
        for pid in (*self.workers, *([] if self.lot is None else [self.lot])):
            send_signal(pid, number)
