"""The lot: the process of a pool that holds the sessions which wait for their clients.  A byte, or the end of its time, brings one back to a worker."""

from __future__ import annotations

import gc
import os
import time

from qmailpy.exits import OK, complain
from qmailpy.text.parkwire import HEAD, LIMIT, Malformed, due
from qmailpy.text.poolwire import MOST_DESCRIPTORS
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.handover import pair
from qmailpy.unix.process import allow_descriptors, name_process, own_group
from qmailpy.unix.shelf import Shelf
from qmailpy.unix.signals import TERM, Wakeup, shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.unix.board import Board

NAME = "qmail-pool-lot"  # to ps
DESCRIPTORS = 1 << 20  # as many as may be
LOWEST = 0.05  # seconds between two looks for those whose time is up
CROWDED = 0.01  # seconds until the next try where the system has too many descriptors on their way
LINK, SOURCE = 0, 1  # places of the connection to the caller and of the client among the descriptors of a session


class Yard:
    """What a supervisor and its workers have of the lot: the ways in and out.

    patience  seconds that a silent session is kept by its worker
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._way_in, self._lot_in = pair()
        self._lot_out, self._way_out = pair()
        for link in (self._way_in, self._lot_in, self._lot_out, self._way_out):
            link.move()
        self.open = True

    def kept(self) -> dict[int, int]:
        """The descriptors that a worker needs, for fork_working."""
        return {link.fileno(): link.fileno() for link in (self._way_in, self._way_out)}

    def kept_by_lot(self) -> dict[int, int]:
        """The same for the lot."""
        return {link.fileno(): link.fileno() for link in (self._lot_in, self._lot_out)}

    def enter(self) -> None:
        """In a worker, before it waits."""
        for fd in self.kept():
            os.set_inheritable(fd, False)

    def lot(self, shared: Board, alive: int, log: int) -> Lot:
        """The lot, in its own process."""
        return Lot(self, shared, alive, log)

    def close(self) -> None:
        """In the supervisor: no other lot will be started.  When this one has gone, nothing more can be brought there."""
        self.open = False
        self._lot_in.close()
        self._lot_out.close()

    def fileno(self) -> int:
        """Where sessions come back: the descriptor to wait for."""
        return self._way_out.fileno()

    def waiting(self) -> bytes:
        """Something that tells the session which came back first, of those that no worker has taken, from others; b"" if there is none."""
        return self._way_out.peek(HEAD.size)

    def bring(self, message: bytes, fds: list[int]) -> None:
        """Bring a session to the lot.  Raises OSError if it cannot be."""
        self._way_in.send(message, fds)

    def take(self) -> tuple[bytes, list[int]] | None:
        """A session that has come back, the connection to whoever has called first of its descriptors; None if there is none.  Raises OSError."""
        found = self._way_out.collect(LIMIT)
        return found if found and found[1] else None  # nothing: the lot has gone

    def arrival(self) -> tuple[bytes, list[int]] | None:
        """In the lot: a session that is brought.  Raises OSError."""
        return self._lot_in.collect(LIMIT)

    def send_back(self, message: bytes, fds: list[int]) -> None:
        """In the lot.  Raises OSError, BlockingIOError if there are many already."""
        self._lot_out.send(message, fds)

    @property
    def ends(self) -> tuple[int, int]:
        """The lot's own descriptors, in and out."""
        return self._lot_in.fileno(), self._lot_out.fileno()

    def refuse(self) -> None:
        """In the lot: take no more."""
        self._lot_in.refuse()


class Lot:
    """Holds sessions until a byte comes, their time is up, or those who have called are gone.

    shared  the board: workers learn there whether there is room
    alive   a descriptor that ends when the supervisor has gone
    log     a descriptor
    """

    def __init__(self, yard: Yard, shared: Board, alive: int, log: int) -> None:
        own_group()
        shielded()  # for good
        allow_descriptors(DESCRIPTORS)
        gc.disable()  # nothing here has to be collected, and what nobody looks at stays shared with the supervisor
        self.yard, self.board, self.alive, self.log = yard, shared, alive, log
        self.inlet, self.outlet = yard.ends
        for fd in (self.inlet, self.outlet, alive, log):
            os.set_inheritable(fd, False)
        self.shelf = Shelf()
        self.wakeup = Wakeup([TERM])
        self.leaving: dict[int, None] = {}  # sources of those that are to go back to a worker, in their order
        self.blocked = self.crowded = self.ending = self.closed = False
        self.due: float | None = None  # nobody's time is up before
        for fd in (self.inlet, self.alive, self.wakeup.fd):
            self.shelf.add(fd)
        self.tell_room()
        name_process(NAME)

    def run(self) -> int:
        """Hold sessions until the supervisor has gone, or TERM has come and none is left."""
        while not (self.ending and self.is_empty()):
            ready, gone, others = self.shelf.wait(self.patience())
            if self.alive in others:
                break
            for source in gone:
                self.forget(source)
            for source in ready:
                if source in self.shelf:  # it has not gone as well
                    self.wake(source)
            if self.inlet in others:
                self.take_in()
            if self.wakeup.fd in others and self.wakeup.take():
                self.end()
            self.look_at_clock()
            self.send_back()
        return OK

    def is_empty(self) -> bool:
        """Whether there is nobody left.  What has been brought by the time that we say so is still served."""
        if len(self.shelf):
            return False
        if not self.closed:
            self.closed = True
            self.yard.refuse()
            self.shelf.drop(self.inlet)
            self.take_in(many=True)
        return not len(self.shelf)

    def patience(self) -> float | None:
        """Seconds until there is something to do, whatever happens; None: for ever."""
        if self.crowded:
            return CROWDED
        return None if self.due is None else max(self.due - time.monotonic(), LOWEST)

    def tell_room(self) -> None:
        """Workers may bring sessions as long as there is room for one of each of them."""
        self.board.park(self.shelf.has_room((self.board.size + 1) * (MOST_DESCRIPTORS + 1)))

    def take_in(self, *, many: bool = False) -> None:
        """Take a session that is brought, or all."""
        while (found := self.yard.arrival()) is not None:
            data, fds = found
            if len(fds) <= SOURCE:  # the other end of the way in has gone
                close_quietly(*fds)
                break
            self.keep(data, fds)
            if not many:
                break

    def keep(self, data: bytes, fds: list[int]) -> None:
        """Put a session where it waits."""
        try:
            when, watched = due(data)
            self.shelf.put(fds[SOURCE], fds, data, when, fds[LINK] if watched else None)
        except (OSError, Malformed) as problem:
            complain(f"qmail-pool: lot: a session is lost: {problem}", self.log)
            close_quietly(*fds)
            return
        if self.due is None or when < self.due:
            self.due = when
        self.tell_room()

    def wake(self, source: int) -> None:
        """A session is to go back to a worker."""
        self.shelf.quiet(source)
        self.leaving[source] = None

    def forget(self, source: int) -> None:
        """A session has ended, or has gone."""
        self.leaving.pop(source, None)
        self.shelf.remove(source)
        self.tell_room()

    def look_at_clock(self) -> None:
        """Wake those whose time is up."""
        if self.due is not None and self.due <= (now := time.monotonic()):
            late, self.due = self.shelf.due(now)
            for source in late:
                self.wake(source)

    def send_back(self) -> None:
        """Send back as many as the way out takes; who takes them does so in that order."""
        self.crowded = False
        for source in list(self.leaving):
            try:
                self.yard.send_back(*self.shelf.look_at(source))
            except BlockingIOError:
                break
            except OSError:
                self.crowded = True
                return
            self.forget(source)
        self.mind_way_out()

    def mind_way_out(self) -> None:
        """Wait until the way out takes more, if any are to go."""
        blocked = bool(self.leaving)
        if blocked != self.blocked:
            self.shelf.add(self.outlet, write=True) if blocked else self.shelf.drop(self.outlet)
            self.blocked = blocked

    def end(self) -> None:
        """The pool ends: hold nobody's log open, and go when none is left."""
        self.ending = True
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(null, self.log, inheritable=False)
        os.close(null)
