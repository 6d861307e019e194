"""Have a worker of the queue's pool store a message, in the place of a queue program that is executed (INTERNALS: Resident pools)."""

from __future__ import annotations

from qmailpy.queue.exitcodes import BUG
from qmailpy.text.poolwire import EXIT, QUEUE_VARIABLES, Request
from qmailpy.unix.handover import hand_over, owners, place
from qmailpy.unix.limits import lasting
from qmailpy.unix.ours import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home
    from qmailpy.unix.handover import Link

NAME = "qmail-queue"
WAITING = 5.0  # seconds: a worker comes free sooner than many interpreters that start at once


class Taken:
    """A worker's work; has the methods of Executed in client.py.  `pid`: the worker's process id."""

    __slots__ = ("pid", "_link", "_code")

    def __init__(self, pid: int, link: Link) -> None:
        self.pid, self._link = pid, link
        self._code: int | None = None

    def fileno(self) -> int:
        """The descriptor that has something to read when it has ended."""
        return self._link.fileno()

    def ended(self) -> int | None:
        """Its exit status; None if it still goes on."""
        return self._hear(0)

    def wait(self) -> int:
        """The same, when it has ended."""
        code = self._hear(None)
        return BUG if code is None else code

    def _hear(self, seconds: float | None) -> int | None:
        if self._code is None:
            try:
                word = self._link.receive(seconds)
            except TimeoutError:
                return None
            except OSError:
                word = b""
            self._code = word[1] if word[:1] == EXIT and len(word) == 2 else BUG  # without a word: the worker has died
        return self._code

    def close(self) -> None:
        """It is not our business any more."""
        self._link.close()


def may_take(home: Home, env: Mapping[str, str]) -> bool:
    """Whether a pool could store a message: nobody wants, or has put there, another program."""
    return not env.get("QMAILQUEUE") and Program(home, NAME, home.uid("qmailq")).known


def taken(home: Home, env: Mapping[str, str], message: int, envelope: int, *, whole: bool = False) -> Taken | None:
    """Have the pool store what these descriptors give; None if it does not take it.  `whole`: all of it is written."""
    variables = {name: env[name] for name in QUEUE_VARIABLES if name in env}
    request = Request(NAME, [], variables, [0, 1], place(), lasting())
    found = hand_over(home.at("run", "queue", "socket"), owners(home, "qmailq"), request.wire(), [message, envelope], busy=WAITING, whole=whole)
    return None if found is None else Taken(found[1], found[0])
