"""What is measured.  Each figure is a module with a function that takes a Bench and one of its places, and yields finished tables.

A new figure is a module here, a line in FIGURES, and a paragraph in qmail-bench(8).
"""

from __future__ import annotations

from qmailpy.bench.figures import accept, backlog, deliver, filters, idle, latency, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.bench.bench import Bench, Place
    from qmailpy.bench.measure import Table


class Figure:
    """How a figure is made, and whether once is enough because it makes no difference where queues are."""

    __slots__ = ("tables", "once")

    def __init__(self, tables: Callable[[Bench, Place], Iterator[Table]], *, once: bool = False) -> None:
        self.tables, self.once = tables, once


# In the order in which they are measured: servers that run are used again, backlogs need others.
FIGURES = {
    "start": Figure(start.tables),
    "filters": Figure(filters.tables, once=True),
    "accept": Figure(accept.tables),
    "local": Figure(deliver.local_tables),
    "remote": Figure(deliver.remote_tables),
    "latency": Figure(latency.tables),
    "idle": Figure(idle.tables, once=True),
    "backlog": Figure(backlog.tables),
}
