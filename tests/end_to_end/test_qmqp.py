"""A host without a queue: what is sent there goes at once, by qmail-qmqpc in the place of qmail-queue, to qmail-qmqpd of another home."""

import re
import smtplib

import pytest

from tests.home import messages


@pytest.fixture
def hub(single):
    """A home that takes mail for joe, and its port for QMQP."""
    single.run("maildirmake", str(single.path / "alias/Maildir"))
    (single.path / "alias/.qmail-joe").write_text("./Maildir/\n")
    single.start()
    single.port = single.listen(server=("qmail-qmqpd",))
    return single


@pytest.fixture
def mini(second):
    """The other home as a host without a queue."""
    queue = second.path / "bin/qmail-queue"
    queue.rename(f"{queue}.away")
    queue.symlink_to("qmail-qmqpc")
    yield second
    (second.path / "bin/qmail-queue.away").rename(queue)


def arrived(hub, count=1):
    """The messages in joe's Maildir, once all deliveries are done."""
    hub.log.wait("end msg", count=count)
    found = messages(hub.path / "alias/Maildir")
    assert len(found) == count
    return found


def test_mail_of_all_doors_goes_to_the_hub(hub, mini):
    mini.control(qmqpservers=f"127.0.0.1:{hub.port}\n", rcpthosts="test.example\n")
    mini.run("qmail-inject", "-f", "you@second.test.example", "joe@test.example", input=b"Subject: inject\n\n1\n")
    mini.run("sendmail", "-t", input=b"To: joe@test.example\nSubject: sendmail\n\n2\n")
    mini.run("forward", "joe@test.example", input=b"Subject: forward\n\n3\n", env={"SENDER": "a@b", "NEWSENDER": "a@b", "DTLINE": "Delivered-To: x@y\n"})
    with smtplib.SMTP("127.0.0.1", mini.listen()) as client:
        client.sendmail("a@sender.example", ["joe@test.example"], b"Subject: smtpd\r\n\r\n4\r\n")
    found = arrived(hub, 4)
    assert {re.search(rb"\nSubject: (\w+)\n\n\d\n$", message)[1] for message in found} == {b"inject", b"sendmail", b"forward", b"smtpd"}
    assert all(re.search(rb"\nReceived: from unknown \(127\.0\.0\.1\)\n  by 0 with QMQP; ", message) for message in found)
    assert not mini.queue_files()


def test_while_no_hub_answers_the_sender_keeps_his_mail(mini):
    mini.control(qmqpservers="127.0.0.1:1\n")
    mini.run("qmail-inject", "joe@test.example", input=b"Subject: x\n\n", status=111)
    with smtplib.SMTP("127.0.0.1", mini.listen()) as client:
        client.ehlo()
        client.mail("a@b")
        client.rcpt("joe@second.test.example")
        assert client.data(b"Subject: x\r\n\r\n") == (451, b"connection to mail server rejected (#4.4.1)")
    assert not mini.queue_files()


def test_the_next_hub_is_tried_and_what_a_hub_refuses_is_refused(hub, mini):
    mini.control(qmqpservers=f"127.0.0.1:1\n127.0.0.1:{hub.port}\n")
    mini.run("qmail-inject", "joe@test.example", input=b"Subject: x\n\n")
    arrived(hub)
    mini.run("qmail-inject", "-f", "s@x", "x" * 1000 + "@test.example", input=b"Subject: x\n\n", status=100)


def test_one_program_of_a_host_with_a_queue_uses_a_hub(hub, second):
    second.control(qmqpservers=f"127.0.0.1:{hub.port}\n")
    second.run("qmail-inject", "joe@test.example", input=b"Subject: x\n\n", env={"QMAILQUEUE": second.program("qmail-qmqpc")})
    arrived(hub)
    second.run("qmail-inject", "joe@test.example", input=b"Subject: x\n\n")
    assert second.queue_files()


def test_over_ipv6(hub, mini):
    try:
        port = hub.listen(server=("qmail-qmqpd",), address="::1")
    except ValueError:
        pytest.skip("no IPv6 here")
    mini.control(qmqpservers=f"[::1]:{port}\n")
    mini.run("qmail-inject", "joe@test.example", input=b"Subject: x\n\n")
    assert b"\nReceived: from unknown (::1)\n  by 0 with QMQP; " in arrived(hub)[0]
