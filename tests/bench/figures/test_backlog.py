"""backlog."""

from qmailpy.bench.figures import backlog
from tests.bench.little import PLACE, LittleBench


def test_a_table_for_each_number_of_messages_that_wait(server):
    bench = LittleBench(server)
    tables = list(backlog.tables(bench, PLACE))
    assert [table.title for table in tables] == [f"backlog of {depth}, disk" for depth in backlog.DEPTHS]
    assert bench.waiting == list(backlog.DEPTHS)
    assert all(row.median > 0 for table in tables for row in table.rows())
