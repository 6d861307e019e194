"""The server that takes what is sent on."""

import pytest

from qmailpy.bench.client import open_session, send_many
from qmailpy.bench.measure import Failed
from qmailpy.bench.sink import SinkProcess


@pytest.fixture
def sink():
    running = SinkProcess()
    yield running
    running.close()


def test_messages_are_counted(sink):
    send_many(sink.port, "a@b.example", 20)
    sink.wait(20, 10)
    with pytest.raises(Failed, match="1 messages did not come"):
        sink.wait(1, 0)


def test_what_nobody_waits_for_is_forgotten(sink):
    send_many(sink.port, "a@b.example", 3)
    sink.wait(1, 10)
    sink.forget()
    with pytest.raises(Failed, match="1 messages"):
        sink.wait(1, 0)


def test_a_client_that_goes_disturbs_nobody(sink):
    for steps in (1, 2, 5):
        open_session(sink.port, "a@b.example", steps).close()
    send_many(sink.port, "a@b.example", 1)
    sink.wait(1, 10)
