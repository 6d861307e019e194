"""Have a warm worker serve a connection, without executing anything: what the launcher would do, done by the listener itself (INTERNALS: Resident pools)."""

from __future__ import annotations

import os
import time

from qmailpy.text.poolwire import DATA, EXIT, SERVERS, TAKEN, Limits, Request, raised
from qmailpy.text.poolwire import AS as ADDRESS_SPACE
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.handover import PATIENCE, owners, place, reach
from qmailpy.unix.limits import limits
from qmailpy.unix.ours import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmailpy.home import Home
    from qmailpy.text.poolwire import Limit
    from qmailpy.unix.handover import Link

REST = 2.0  # seconds without another try, when a pool has let somebody wait too long and has answered nobody meanwhile
LOST = 111  # the exit status of a worker that has died


class Hired:
    """A worker that serves a connection.  `pid`: its process id."""

    __slots__ = ("pid", "_link")

    def __init__(self, pid: int, link: Link) -> None:
        self.pid, self._link = pid, link

    def fileno(self) -> int:
        """The descriptor that has something to read when it has done its work."""
        return self._link.fileno()

    def status(self) -> int:
        """How its work has ended, as wait tells it of a child."""
        try:
            word = self._link.receive(0)
        except OSError:
            word = b""
        self._link.close()
        return (word[1] if word[:1] == EXIT and len(word) == 2 else LOST) << 8


class Hire:
    """Hands connections to the pool of this process's user, if the program that is to serve them is one of ours, and unchanged.

    Nobody waits in here: others want to be served meanwhile.
    """

    def __init__(self, home: Home, program: Sequence[str]) -> None:
        self.home, self.program = home, list(program)
        self.name = os.path.basename(program[0])
        self.resting_until = self.heard = 0.0
        self._program = Program(home, self.name)
        self._place, self._limits, self._umask = place(), Limits(as_a_launcher(limits())), os.umask(0)
        os.umask(self._umask)

    @property
    def is_possible(self) -> bool:
        """Whether there is such a pool, and the home's program of that name is ours."""
        return self.name in SERVERS and self._program.known

    def ask(self, connection: int, env: Mapping[str, str]) -> Link | None:
        """Ask for a worker for a connection with these variables: where the answer will come; None if there is nobody.

        Raises OSError where there is no room for a try.
        """
        if time.monotonic() < self.resting_until or not self._is_ours(env):
            return None
        folder = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            request = Request(self.name, self.program, env, [0, 1, 2], self._place, self._limits, umask=self._umask, directory=True)
            link = reach(self.home.at("run", "servers", str(os.geteuid()), "socket"), owners(self.home, "qmaild"))
            if link is not None:
                link.send(request.wire(), [connection, connection, 2, folder])
        except BrokenPipeError:
            pass  # what it has said before it went can be read all the same
        finally:
            close_quietly(folder)
        return link

    def answer(self, link: Link, *, late: bool) -> Hired | None:
        """The worker that has taken the work; None if there is none.  `late`: nobody waits any longer."""
        try:
            word = link.give_up() if late else link.receive(0)
        except OSError:
            word = b""
        if word:
            self.heard = time.monotonic()
        if word.startswith(TAKEN):
            return Hired(int(word[1:]), link)
        link.close()
        if late and time.monotonic() >= self.heard + PATIENCE:
            self.resting_until = time.monotonic() + REST
        return None

    def _is_ours(self, env: Mapping[str, str]) -> bool:
        """Whether the program would be ours if it were executed."""
        if "/" in self.program[0]:
            return self._program.is_at(self.program[0])
        return self._program.is_found(self.program[0], env, ".")


def as_a_launcher(found: list[Limit]) -> list[Limit]:
    """Limits with small soft ones on memory raised, as a launcher would."""
    return [raised(limit) if number in (ADDRESS_SPACE, DATA) else limit for number, limit in enumerate(found)]
