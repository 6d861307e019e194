"""local and remote: how many messages go through a server in a second, from the first connection to the last delivery."""

from __future__ import annotations

import time

from qmailpy.bench.client import send_many
from qmailpy.bench.measure import Contender, Rate, Table
from qmailpy.bench.servers import PATIENCE, SELDOM, TO_LOCAL, TO_REMOTE, until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.bench.bench import Bench, Place
    from qmailpy.bench.servers import Server
    from qmailpy.bench.sink import SinkProcess

LOCAL = "messages through the server, from the first connection to the last file in the Maildir, 8 sessions at a time"
REMOTE = "messages through the server, from the first connection to the last one at a server on 127.0.0.1 and an empty queue, 8 sessions at a time"


def local_tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table."""
    contenders = [Contender(server.name, Rate(delivering(server))) for server in bench.up(place)]
    yield bench.compare(Table("local", place.name, LOCAL, "messages/s", contenders, more=True))


def remote_tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table."""
    contenders = [Contender(server.name, Rate(sending(server, bench.sink))) for server in bench.up(place)]
    yield bench.compare(Table("remote", place.name, REMOTE, "messages/s", contenders, more=True))


def delivering(server: Server, waiting: int = 0) -> Callable[[int], float]:
    """Sends so many messages through a server whose queue holds `waiting` others; the seconds until all are in the Maildir."""
    def work(count: int) -> float:
        server.settle(waiting)
        begun = time.perf_counter()
        send_many(server.port, TO_LOCAL, count)
        until(lambda: server.delivered() >= count, f"{count} messages were not delivered", SELDOM)
        return time.perf_counter() - begun

    return work


def sending(server: Server, sink: SinkProcess) -> Callable[[int], float]:
    """Sends so many messages through a server to the sink; the seconds until all are there and the queue is empty."""
    def work(count: int) -> float:
        server.settle()
        sink.forget()
        begun = time.perf_counter()
        send_many(server.port, TO_REMOTE, count)
        sink.wait(count, PATIENCE)
        until(lambda: not server.queued(), "the queue does not get empty", SELDOM)
        return time.perf_counter() - begun

    return work
