"""backlog: how many messages go through a server in a second while others wait in its queue."""

from __future__ import annotations

from qmailpy.bench.figures.deliver import delivering
from qmailpy.bench.measure import Contender, Rate, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.bench.bench import Bench, Place

DEPTHS = (10, 1000, 20000)
ABOUT = "local messages through the server while {} messages for other hosts wait in the queue for their next try"


def tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table for each number of messages."""
    for depth in DEPTHS:
        contenders = [Contender(server.name, Rate(delivering(server, depth))) for server in bench.up(place, depth)]
        yield bench.compare(Table(f"backlog of {depth}", place.name, ABOUT.format(depth), "messages/s", contenders, more=True))
