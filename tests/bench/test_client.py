"""The clients of the benchmark against a real server."""

import pytest

from qmailpy.bench.client import open_session, send, send_many
from qmailpy.bench.dialogue import BODY, SENDER
from qmailpy.bench.measure import Failed
from qmailpy.unix.net import free_port
from tests.smtpsink import SmtpSink


def test_one_message():
    with SmtpSink() as sink:
        send(sink.port, "a@b.example")
        assert sink.messages == [(SENDER.encode(), [b"a@b.example"], BODY.replace(b"\n", b"\r\n"))]
        assert sink.commands[-1] == b"QUIT\r\n"


@pytest.mark.parametrize("count", [1, 8, 19])
def test_many_messages_are_shared_out_among_clients(count):
    with SmtpSink() as sink:
        assert send_many(sink.port, "a@b.example", count) > 0
        assert len(sink.messages) == count


def test_a_session_that_stays_open():
    with SmtpSink() as sink:
        session = open_session(sink.port, "a@b.example", 2)
        assert [line[:4] for line in sink.commands] == [b"HELO"]
        session.send(b"QUIT\r\n")
        assert session.receive().startswith(b"221")
        session.close()


@pytest.mark.parametrize(("replies", "said"), [
    ({"RCPT": "550 nobody"}, "RCPT TO:<a@b.example> was answered 550 nobody"),
    ({"greeting": None}, "the greeting was answered by hanging up"),
    ({"end": "451 disk full"}, "was answered 451 disk full"),
])
def test_what_is_refused_is_told(replies, said):
    with SmtpSink(replies) as sink:
        with pytest.raises(Failed, match=said):
            send(sink.port, "a@b.example")
        with pytest.raises(Failed, match=said):
            send_many(sink.port, "a@b.example", 3)


def test_nobody_listens():
    with pytest.raises(Failed, match="a session broke off: .*refused"):
        send(free_port("127.0.0.1"), "a@b.example")
