"""A worker: takes one request at a time from the pool's socket, runs the program's own main in this process, tells the exit status."""

from __future__ import annotations

import os
import sys

from qmailpy.exits import PARKED, TEMPORARY, TENURE, complain, outcome
from qmailpy.pool.kind import share
from qmailpy.pool.parking import PROGRAM, Spot
from qmailpy.text import parkwire
from qmailpy.text.poolwire import BUSY, COLD, EXIT, TAKEN, Malformed, Request, lent, parse
from qmailpy.unix import board, limits
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.handover import label, opened, place
from qmailpy.unix.process import own_group
from qmailpy.unix.signals import TERM, on_signal
from qmailpy.unix.stage import Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.pool.kind import Kind
    from qmailpy.pool.lot import Yard
    from qmailpy.text.parkwire import Parked
    from qmailpy.text.poolwire import Limits
    from qmailpy.unix.board import Board
    from qmailpy.unix.gate import Gate
    from qmailpy.unix.handover import Link, Peer

PATIENCE = 5.0  # seconds for a request to come, once somebody is connected
MOST_REQUESTS = 1000
MOST_GROWTH = 32 << 20  # bytes; then a fresh worker takes the place of this one
LOOK = 16  # requests between two looks at that
ROOM = 256 << 20  # bytes that a request may make it grow, before memory is refused to it
SPARE = 2  # idle workers; if there are fewer the supervisor is told
UNWELCOME = b""  # no answer: the connection is closed


class Ended(Exception):
    """The worker is to end, and is doing nothing."""


class Worker:
    """One worker.

    slot  its place on the board
    gate  where requests come in; `yard`: where sessions go that wait, and come back; None: they do not
    log   the descriptor of the pool's own log
    """

    def __init__(self, kind: Kind, shared: Board, slot: int, gate: Gate, log: int, yard: Yard | None = None) -> None:
        self.kind, self.board, self.slot, self.gate, self.log, self.yard = kind, shared, slot, gate, log, yard
        self.uid, self.gid, self.groups = os.geteuid(), os.getegid(), frozenset((os.getegid(), *os.getgroups()))
        self.place, self.label = place(), label()
        own_group()
        gate.enter(None if yard is None else yard.fileno())
        if yard is not None:
            yard.enter()
        os.set_inheritable(log, False)
        limits.limit_growth(ROOM)
        self.stage = Stage()
        self.stage.on_exit(self.leave)
        self.link: Link | None = None  # of the request that is worked on
        self.known: Limits | None = None  # those of the last request, as they came, and what is to be `lent` under them: nearly always it is so again
        self.lent: dict[int, int] | None = None
        self.idle = self.ending = False
        self.served, self.begun_with = 0, limits.private_bytes()
        TENURE.warm = True

    def run(self) -> int:
        """Serve until there is a reason to end."""
        on_signal(TERM, self.end)
        while not self.spent() and (found := self.wait()) is not None:
            self.take_up(found)
        return 0

    def help(self) -> int:
        """Serve sessions that have come back from the lot, as long as there are any."""
        on_signal(TERM, self.end)
        while not self.spent() and (found := self.returned()) is not None:
            self.take_up(found)
        return 0

    def take_up(self, found: Link | tuple[bytes, list[int]]) -> None:
        """Serve a request, or a session that comes back."""
        if isinstance(found, tuple):
            self.go_on(*found)
        else:
            self.serve(found)
            found.close()

    def spent(self) -> bool:
        """Whether a fresh worker should take the place of this one; an unforeseen exception is told in the pool's log."""
        if TENURE.trace:
            self.say(TENURE.trace)
        return bool(self.ending or TENURE.reason or self.served >= MOST_REQUESTS or self.has_grown())

    def has_grown(self) -> bool:
        """Whether it has taken too much memory; looked at now and then, since what one request may take has a limit of its own."""
        return self.served % LOOK == 0 and limits.private_bytes() > self.begun_with + MOST_GROWTH

    def wait(self) -> Link | tuple[bytes, list[int]] | None:
        """The next connection, or a session that comes back; None if the worker is to end."""
        found: Link | tuple[bytes, list[int]] | None = None
        while found is None and (ready := self.rest()):
            if self.yard is not None and self.yard.fileno() in ready:
                found = self.returned()
            if found is None and self.gate.door.fileno() in ready:
                found = self.gate.door.accept()
        return found or self.returned()  # if it was woken for one before it was told to end, nobody else is

    def rest(self) -> list[int]:
        """Wait until there may be something to do: the descriptors on which it may be; none if the worker is to end."""
        try:
            try:
                self.idle = True
                return [] if self.ending else self.gate.wait()
            finally:
                self.idle = False
        except Ended:
            self.idle = False
            return []

    def returned(self) -> tuple[bytes, list[int]] | None:
        """A session that has come back from the lot; None if there is none."""
        try:
            return None if self.yard is None else self.yard.take()
        except OSError as problem:
            self.say(f"a session is lost: {problem}")
            return None

    def say(self, text: str) -> None:
        """One line in the pool's log."""
        complain(f"qmail-pool: {self.kind.name}: {text}", self.log)

    def end(self) -> None:
        """The pool ends: finish what is under way, and keep nobody's log open for it."""
        self.ending = True
        self.stage.silence(self.log)
        if self.idle:
            raise Ended

    def serve(self, link: Link, back: tuple[bytes, list[int]] | None = None) -> None:
        """Take one request, if it is one for us, or a session that is `back`, do the work, and tell how it went, when nothing of it is left here."""
        status = None
        try:
            peer = link.peer()
            self.board.put(self.slot, board.BUSY, peer.uid)  # from now on: who says nothing has his share of us as well
            status = self.attend(link, peer) if back is None else self.resume(link, peer, *back)
        except OSError:
            pass  # whoever has asked has gone, or says nothing
        finally:
            self.board.put(self.slot, board.IDLE)
        if status is not None:
            self.served += 1
            if status != PARKED:
                tell(link, EXIT + bytes([status & 255]))

    def go_on(self, data: bytes, fds: list[int]) -> None:
        """Go on with a session that comes back."""
        link = opened(fds[0])
        self.serve(link, (data, fds[1:]))
        link.close()

    def resume(self, link: Link, peer: Peer, data: bytes, fds: list[int]) -> int:
        """The same, when it is known who that is: its exit status."""
        if self.board.count(board.IDLE) < SPARE:
            self.gate.alert()
        try:
            parked = parkwire.parse(data)
            request = parse(parked.request, self.known)
        except (parkwire.Malformed, Malformed):
            close_quietly(*fds)
            return TEMPORARY
        status = self.perform(link, peer, request, fds, self.spot(link, parked.request, request, parked))
        return TEMPORARY if status is None else status

    def spot(self, link: Link, data: bytes, request: Request, parked: Parked | None = None) -> Spot | None:
        """Where a session can wait; None: here."""
        if self.yard is None or request.program != PROGRAM:
            return None
        return Spot(self.yard, self.board, link, self.vanish, data, request, parked)

    def attend(self, link: Link, peer: Peer) -> int | None:
        """Hear what is asked for, and do it: the exit status; None if it was not taken.  Raises OSError."""
        answer = self.admit(peer)
        if answer == TAKEN:
            data, fds = link.receive_request(PATIENCE)
            try:
                request = parse(data, self.known)
                answer = self.judge(request, len(fds), peer)
            except Malformed:
                answer = UNWELCOME
            if answer == TAKEN:
                return self.perform(link, peer, request, fds, self.spot(link, data, request))
            close_quietly(*fds)
        if answer:
            refuse(link, answer)
        return None

    def admit(self, peer: Peer) -> bytes:
        """Whether somebody may ask for anything: TAKEN, or what the answer is."""
        if self.board.count(board.IDLE) < SPARE:
            self.gate.alert()
        if not peer.pid:
            return UNWELCOME
        if self.kind.everybody:
            return BUSY if self.board.busy_for(peer.uid) > share(self.board.size) else TAKEN
        return TAKEN if (peer.uid, peer.gid, peer.groups) == (self.uid, self.gid, self.groups) else UNWELCOME

    def judge(self, request: Request, passed: int, peer: Peer) -> bytes:
        """Whether it can be done here: TAKEN, or what the answer is."""
        if passed != len(request.descriptors) + request.directory:
            return UNWELCOME
        if self.kind.everybody and (request.descriptors != [0, 1] or request.directory or request.arguments):
            return UNWELCOME
        if request.program not in self.kind.programs or (request.place, peer.label) != (self.place, self.label):
            return COLD
        return COLD if self.lent_to(request) is None else TAKEN

    def lent_to(self, request: Request) -> dict[int, int] | None:
        """The limits of its own that it has to change for a request; None if it cannot."""
        if request.limits is not self.known:
            self.known, self.lent = request.limits, lent(request.limits.pairs, self.stage.limits)
        return self.lent

    def perform(self, link: Link, peer: Peer, request: Request, fds: list[int], spot: Spot | None = None) -> int | None:
        """Do the work; its exit status, or None if it could not be taken."""
        try:
            self.stage.set(request, fds, self.lent_to(request) or {})
            if spot is None or spot.parked is None:
                link.send(TAKEN + b"%d" % os.getpid())
            self.link = link
            if request.watched:
                link.watch(self.vanish)
            return self.work(peer, request, spot)
        except (OSError, ValueError):
            return None  # before the work has begun: programs raise nothing here
        finally:
            if request.watched and not (spot is not None and spot.left):
                link.unwatch()
            self.stage.clear()
            self.link = None

    def work(self, peer: Peer, request: Request, spot: Spot | None) -> int:
        """The program, from beginning to end; its exit status."""
        program = __import__("qmailpy.programs." + request.program.replace("-", "_"), fromlist=["main"])
        variables = request.variables
        if self.kind.variables is not None:
            variables = {name: value for name, value in variables.items() if name in self.kind.variables}
            # Who has a process of his own for it is known by that process's id, as he who was executed would be.
            pid = peer.pid if request.watched else os.getpid()
            status = outcome(lambda argv, env: program.serve(pid, peer.uid, env), [request.program], variables)
        elif spot is not None:
            status = outcome(lambda argv, env: program.work(argv, env, spot), request.arguments or [request.program], variables)
        else:
            status = outcome(program.main, request.arguments or [request.program], variables)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass
        return status

    def leave(self, status: int) -> bool:
        """The process is about to end; whether it is in the middle of a program."""
        if self.link is None:
            return False
        tell(self.link, EXIT + bytes([status & 255]))
        return True

    def vanish(self) -> None:
        """Whoever stood for this work has been ended, and so it ends, wherever it is."""
        self.link = None
        os._exit(0)


def refuse(link: Link, word: bytes) -> None:
    """Say no; a request that is not read would take the answer away with it."""
    link.discard()
    tell(link, word)


def tell(link: Link, word: bytes) -> None:
    """Say it; whoever has gone does not want to know."""
    try:
        link.send(word)
    except OSError:
        pass
