"""accept."""

from qmailpy.bench.figures import accept
from qmailpy.bench.measure import FEWEST
from tests.bench.little import PLACE, LittleBench


def test_messages_taken_in_a_second_under_each_listener(server, mail):
    server.ports["other"] = mail.port
    (table,) = accept.tables(LittleBench(server), PLACE)
    assert [row.name for row in table.rows()] == ["little, listener", "little, other"]
    assert all(row.median > 0 for row in table.rows())
    assert len(mail.messages) == 2 * FEWEST
