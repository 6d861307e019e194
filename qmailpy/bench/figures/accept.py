"""accept: how many messages a server takes in a second by SMTP, while it delivers them."""

from __future__ import annotations

from qmailpy.bench.client import send_many
from qmailpy.bench.measure import Contender, Rate, Table
from qmailpy.bench.servers import TO_LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.bench.bench import Bench, Place
    from qmailpy.bench.servers import Server

ABOUT = "messages taken by SMTP, one connection each, 8 sessions at a time, while deliveries go on"


def tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table, with each server under each of its listeners."""
    contenders = [Contender(server.under(listener), Rate(taking(server, port))) for server in bench.up(place) for listener, port in server.ports.items()]
    yield bench.compare(Table("accept", place.name, ABOUT, "messages/s", contenders, more=True))


def taking(server: Server, port: int) -> Callable[[int], float]:
    """Sends so many messages to a port of a server; the seconds until all of them are accepted."""
    def work(count: int) -> float:
        server.settle()
        return send_many(port, TO_LOCAL, count)

    return work
