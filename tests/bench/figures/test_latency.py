"""latency."""

from qmailpy.bench.figures import latency
from tests.bench.little import PLACE, LittleBench


def test_the_average_of_single_messages(server, mail):
    (table,) = latency.tables(LittleBench(server), PLACE)
    assert [row.name for row in table.rows()] == ["little"]
    assert len(mail.messages) == latency.TIMES
    assert not table.more
