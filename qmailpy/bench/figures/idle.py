"""idle: what an SMTP session costs that says nothing."""

from __future__ import annotations

import time

from qmailpy.bench.client import open_session
from qmailpy.bench.measure import Contender, Failed, Table
from qmailpy.bench.servers import TO_LOCAL
from qmailpy.unix.descendants import descendants, private_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.bench.bench import Bench, Place
    from qmailpy.bench.servers import Server
    from qmailpy.unix.net import Stream

ABOUT = "private memory of all processes for each further session that has said HELO and nothing more, from the 20th to the 90th, 3 seconds after the last"
FIRST, LAST = 20, 90
REST = 3  # seconds: a server may put away sessions that are silent
HELO = 2  # steps of a session
ROUNDS = 2  # it takes long, and varies little


def tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table, with each server under each of its listeners."""
    contenders = [Contender(server.under(listener), idling(bench, server, listener)) for server in bench.up(place) for listener in server.ports]
    yield bench.compare(Table("idle", "", ABOUT, "KiB", contenders, more=False), most=ROUNDS, warm_up=False)


def idling(bench: Bench, server: Server, listener: str) -> Callable[[], float]:
    """Opens sessions with a server that is fresh, since processes stay behind to serve others; KiB for each session behind the first few.

    All servers of the run are our descendants. What the others take does not change meanwhile.
    """
    def measure() -> float:
        bench.restart(server)
        sessions: list[Stream] = []
        try:
            at_first = weighed(sessions, server.ports[listener], FIRST)
            return (weighed(sessions, server.ports[listener], LAST) - at_first) / (LAST - FIRST)
        except OSError as problem:
            raise Failed(f"with {len(sessions)} sessions open: {problem}") from problem
        finally:
            for session in sessions:
                session.close()

    return measure


def weighed(sessions: list[Stream], port: int, count: int) -> int:
    """Open sessions until there are so many; KiB that all descendants have for themselves after a rest.  Raises Failed, OSError."""
    while len(sessions) < count:
        sessions.append(open_session(port, TO_LOCAL, HELO))
    time.sleep(REST)
    return sum(map(private_memory, descendants()))
