"""local and remote."""

import pytest

from qmailpy.bench.figures import deliver
from qmailpy.bench.measure import FEWEST, Failed
from qmailpy.bench.sink import SinkProcess
from tests.bench.little import PLACE, LittleBench


def test_messages_to_the_maildir(server):
    (table,) = deliver.local_tables(LittleBench(server), PLACE)
    assert [row.name for row in table.rows()] == ["little"]
    assert server.delivered() == FEWEST


def test_messages_to_another_host(server):
    sink = SinkProcess()
    try:
        server.ports = {"": sink.port}
        (table,) = deliver.remote_tables(LittleBench(server, sink=sink), PLACE)
        assert [row.name for row in table.rows()] == ["little"]
    finally:
        sink.close()


def test_mail_that_does_not_come_fails_the_contender(server, mail, monkeypatch):
    monkeypatch.setattr(deliver, "PATIENCE", 0.1)
    server.ports = {"": mail.port}
    server.maildir = str(mail.maildir.parent)  # not where mail goes
    (mail.maildir.parent / "new").mkdir()
    with pytest.raises(Failed, match="2 messages were not delivered within"):
        deliver.delivering(server)(2)
