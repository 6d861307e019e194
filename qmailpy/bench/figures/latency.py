"""latency: how long one message takes through a server that has nothing else to do."""

from __future__ import annotations

import time

from qmailpy.bench.client import send
from qmailpy.bench.measure import Contender, Table
from qmailpy.bench.servers import TO_LOCAL, until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.bench.bench import Bench, Place
    from qmailpy.bench.servers import Server

ABOUT = "one message through an idle server, from the connection to the file in the Maildir"
TIMES = 10  # messages in a round, one after the other
STEP = 0.0002  # seconds between looks into the Maildir


def tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table."""
    contenders = [Contender(server.name, passing(server)) for server in bench.up(place)]
    yield bench.compare(Table("latency", place.name, ABOUT, "ms", contenders, more=False))


def passing(server: Server) -> Callable[[], float]:
    """Sends single messages; the average milliseconds."""
    def measure() -> float:
        total = 0.0
        for _ in range(TIMES):
            server.settle()
            begun = time.perf_counter()
            send(server.port, TO_LOCAL)
            until(lambda: server.delivered() > 0, "a message was not delivered", STEP)
            total += time.perf_counter() - begun
        return total * 1000 / TIMES

    return measure
