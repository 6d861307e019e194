"""A qmail home that is measured."""

import os

import pytest

from qmailpy.bench.client import send
from qmailpy.bench.dialogue import BODY
from qmailpy.bench.measure import Failed
from qmailpy.bench.qmail import Qmail, fill
from qmailpy.bench.scratch import Copy
from qmailpy.bench.servers import TO_LOCAL, TO_REMOTE, until
from qmailpy.bench.sink import SinkProcess
from tests.bench.test_scratch import home_of


@pytest.fixture
def sink():
    running = SinkProcess()
    yield running
    running.close()


@pytest.fixture
def qmail(single, place, sink):
    (place / "copy").mkdir()
    (place / "data").mkdir()
    copy = Copy(home_of(single.path), str(place / "copy"))
    server = Qmail("ours", copy, {"qmail-tcpserver": f"{copy.path}/bin/qmail-tcpserver"}, sink.port)
    yield server
    server.close()


def test_mail_goes_through_while_other_mail_waits(qmail, place, sink):
    qmail.start(str(place / "data"), 30)
    assert qmail.queued() == 30
    send(qmail.port, TO_LOCAL)
    until(lambda: qmail.delivered() == 1, "no mail")
    (name,) = os.listdir(f"{qmail.maildir}/new")
    with open(f"{qmail.maildir}/new/{name}", "rb") as message:
        assert message.read().endswith(BODY)
    qmail.settle(30)
    assert qmail.pools() and all(map(os.path.exists, qmail.pools()))  # what is measured is what an administrator gets
    assert (qmail.delivered(), qmail.queued()) == (0, 30)
    send(qmail.port, TO_REMOTE)
    sink.wait(1, 30)
    qmail.stop()
    assert qmail.ports == {}


def test_messages_that_wait_are_as_a_first_try_leaves_them(single):
    fill(str(single.path / "queue"), 3)
    rows = single.run("qmail-qread").decode().splitlines()
    assert [row.strip() for row in rows if "remote\t" in row] == [f"remote\t{TO_REMOTE}"] * 3
    single.start()
    single.stop()
    assert len(single.queue_files()) == 9


def test_a_home_that_does_not_start_says_why(qmail, place):
    os.unlink(f"{qmail.scratch.path}/bin/qmail-send")
    with pytest.raises(Failed, match="qmail-send does not start: it has written no log"):
        qmail.start(str(place / "data"), 0)


def test_a_listener_that_does_not_listen_says_why(qmail, place):
    qmail.listeners = {"broken": "/bin/false"}
    with pytest.raises(Failed, match="/bin/false does not listen"):
        qmail.start(str(place / "data"), 0)
