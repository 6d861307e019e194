"""A session that is silent leaves its worker, and goes to the lot (pool/lot.py) until there is something to do."""

from __future__ import annotations

import os
import stat
import time

from qmailpy.exits import TENURE
from qmailpy.text.parkwire import Malformed, Parked
from qmailpy.unix import board
from qmailpy.unix.fds import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.pool.lot import Yard
    from qmailpy.text.parkwire import Rest
    from qmailpy.text.poolwire import Request
    from qmailpy.unix.board import Board
    from qmailpy.unix.connection import Connection
    from qmailpy.unix.handover import Link

PROGRAM = "qmail-smtpd"  # whose sessions can wait elsewhere
ENOUGH = 4  # idle workers; with fewer, silent sessions leave sooner
STEP = 0.02  # seconds between looks at how many workers are left


class Spot:
    """Where one session can wait, if there is a place.

    yard     the way to the lot
    link     the connection to whoever has called; `vanish` is called when it ends, if the request is watched
    data     the request as it came
    parked   the session as it comes back; None: it begins
    left     whether it has left this worker, with all that belongs to it
    """

    __slots__ = ("parked", "left", "_yard", "_board", "_link", "_vanish", "_data", "_request", "_movable")

    def __init__(self, yard: Yard, shared: Board, link: Link, vanish: Callable[[], object], data: bytes, request: Request, parked: Parked | None) -> None:
        self._yard, self._board, self._link, self._vanish, self._data, self._request = yard, shared, link, vanish, data, request
        self.parked = parked
        self.left = False
        self._movable: bool | None = None  # nobody has looked

    def leave(self, connection: Connection, rest: Callable[[], Rest]) -> bool:
        """Wait a moment for a session that is at rest; whether it has left the worker then, since its client is silent.  Raises Gone, TimedOut."""
        connection.flush()
        if connection.deadline is None or not self._may_leave() or not self._is_silent(connection):
            return False
        parked = Parked(rest(), connection.deadline, self._data, watched=self._request.watched, end=connection.end)
        try:
            self._go(parked.wire())
        except (OSError, Malformed):
            return False
        return True

    def _may_leave(self) -> bool:
        """Whether its descriptors are of the kind that can be waited for, there is a place, and no secret is in this process."""
        if self._movable is None:
            mode = os.fstat(0).st_mode if self._request.descriptors[:1] == [0] else 0
            self._movable = stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode)
        return self._movable and self._board.parks and not TENURE.reason

    def _is_silent(self, connection: Connection) -> bool:
        """Whether the client says nothing for as long as workers can be spared, and has time left."""
        assert connection.deadline is not None
        waited = 0.0
        while (left := self._patience() - waited) > 0:
            if connection.channel.ready(min(left, STEP)):
                return False
            waited += STEP
        return time.monotonic() + STEP < connection.deadline and not connection.channel.ready(0)

    def _patience(self) -> float:
        """Seconds that a silent session is kept: the fewer workers are idle, the less; none if there cannot be more of them either."""
        patience, idle = self._yard.patience, self._board.count(board.IDLE)
        if not idle and self._board.first(board.EMPTY) is None:
            return 0.0
        return max(patience * min(idle / ENOUGH, 1), min(STEP, patience))

    def _go(self, message: bytes) -> None:
        """Send it away.  From then on the descriptors here are copies.  Raises OSError, with everything as it was."""
        folder = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) if self._request.directory else -1
        try:
            if self._request.watched:
                self._link.unwatch()  # before anybody else watches: the flag belongs to the connection, not to its descriptor
            self._yard.bring(message, [self._link.fileno(), *self._request.descriptors, *([folder] if folder >= 0 else [])])
            self.left = True
        finally:
            close_quietly(*([folder] if folder >= 0 else []))
            if self._request.watched and not self.left:
                self._link.watch(self._vanish)
