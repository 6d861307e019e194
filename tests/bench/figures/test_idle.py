"""idle."""

import pytest

from qmailpy.bench.figures import idle
from qmailpy.bench.sink import SinkProcess
from tests.bench.little import PLACE, LittleBench


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(idle, "REST", 0)
    monkeypatch.setattr(idle, "FIRST", 2)
    monkeypatch.setattr(idle, "LAST", 6)


def test_a_process_for_each_session_costs_memory(server, single):
    server.ports = {"qmail-tcpserver": single.listen()}
    bench = LittleBench(server)
    (table,) = idle.tables(bench, PLACE)
    (row,) = table.rows()
    assert row.name == "little, qmail-tcpserver"
    assert 16 < row.median < 100000
    assert bench.restarted == ["little"]


def test_sessions_are_opened_until_there_are_enough():
    sink, sessions = SinkProcess(), []
    try:
        assert idle.weighed(sessions, sink.port, 3) > 0
        idle.weighed(sessions, sink.port, 5)
        assert len(sessions) == 5
    finally:
        for session in sessions:
            session.close()
        sink.close()


def test_a_server_that_takes_no_more_sessions_fails(server, mail):
    mail.replies["HELO"] = None
    (table,) = idle.tables(LittleBench(server), PLACE)
    assert [why for _, why in table.troubles()] == ["HELO remote.example was answered by hanging up"]
