"""Two homes: mail from one by qmail-remote, with control/qmtproutes, to qmail-qmtpd of the other."""

import re

import pytest

from tests.home import messages

BODY = b"Subject: by QMTP\n\n.\nCR\r.\r\n\xff\0no newline"


@pytest.fixture
def hub(single):
    """A home that takes mail for joe, and its port for QMTP."""
    single.run("maildirmake", str(single.path / "alias/Maildir"))
    (single.path / "alias/.qmail-joe").write_text("./Maildir/\n")
    single.start()
    single.port = single.listen(server=("qmail-qmtpd",))
    return single


def test_a_message_goes_from_home_to_home(hub, second):
    second.control(qmtproutes=f"test.example:[127.0.0.1]:{hub.port}\n")
    second.start()
    second.run("qmail-inject", "-f", "you@second.test.example", "joe@test.example", input=BODY)
    second.wait_empty()
    second.log.wait(r"delivery 1: success: 127.0.0.1_accepted_message./Remote_host_said:_ok_\d+_qp_\d+/$")
    hub.wait_empty()
    [message] = messages(hub.path / "alias/Maildir")
    assert message.startswith(b"Return-Path: <you@second.test.example>\nDelivered-To: joe@test.example\nReceived: (qmail ")
    assert re.search(rb"\nReceived: from unknown \(127\.0\.0\.1\)\n  by 0 with QMTP; ", message)
    assert message.endswith(b"\n" + BODY + b"\n")  # qmail-inject ends a line that has no end


def test_a_large_message(hub, second):
    second.control(qmtproutes=f"test.example:[127.0.0.1]:{hub.port}\n")
    second.start()
    body = b"Subject: large\n\n" + b"".join(b"line %d\n" % number for number in range(500000))
    second.run("qmail-inject", "joe@test.example", input=body)
    second.wait_empty()
    hub.wait_empty()
    assert messages(hub.path / "alias/Maildir")[0].endswith(body.partition(b"\n\n")[2])


def test_a_refusal_comes_back(hub, second):
    second.run("maildirmake", str(second.path / "alias/Maildir"))
    (second.path / "alias/.qmail-you").write_text("./Maildir/\n")
    second.control(qmtproutes=f":[127.0.0.1]:{hub.port}\n")
    second.start()
    second.run("qmail-inject", "-f", "you@second.test.example", "joe@elsewhere.example", input=b"Subject: x\n\n")
    second.log.wait("end msg", count=2)
    [bounce] = messages(second.path / "alias/Maildir")
    assert (b"\n<joe@elsewhere.example>:\n127.0.0.1 does not like recipient.\n"
            b"Remote host said: sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\nGiving up on 127.0.0.1.\n") in bounce
    assert not messages(hub.path / "alias/Maildir")


def test_a_deferral_waits_and_alrm_tries_again(hub, second):
    second.control(qmtproutes=f"test.example:[127.0.0.1]:{hub.port}\n")
    second.start()
    queue = hub.path / "bin/qmail-queue"
    queue.rename(f"{queue}.away")
    try:
        second.run("qmail-inject", "joe@test.example", input=b"Subject: x\n\n")
        second.log.wait("delivery 1: deferral: 127.0.0.1_does_not_like_recipient./Remote_host_said:_unable_to_exec_qq_.#4.3.0./")
    finally:
        (hub.path / "bin/qmail-queue.away").rename(queue)
    second.daemon.send_signal(14)
    second.wait_empty()
    hub.wait_empty()
    assert len(messages(hub.path / "alias/Maildir")) == 1


def test_over_ipv6(hub, second):
    try:
        port = hub.listen(server=("qmail-qmtpd",), address="::1")
    except ValueError:
        pytest.skip("no IPv6 here")
    second.control(qmtproutes=f"test.example:[::1]:{port}\n")
    second.start()
    second.run("qmail-inject", "joe@test.example", input=b"Subject: x\n\n")
    second.log.wait("delivery 1: success: ::1_accepted_message")
    hub.wait_empty()


def test_a_message_that_goes_round_in_circles_ends(second):
    """A wrong route leads back to the host that the message comes from."""
    second.run("maildirmake", str(second.path / "alias/Maildir"))
    (second.path / "alias/.qmail-you").write_text("./Maildir/\n")
    second.start()
    second.control(rcpthosts="loop.example\n", qmtproutes=f"loop.example:[127.0.0.1]:{second.listen(server=('qmail-qmtpd',))}\n")
    second.run("qmail-inject", "-f", "you@second.test.example", "joe@loop.example", input=90 * b"Received: by a host\n" + b"Subject: x\n\n")
    second.log.wait("bounce msg")
    second.log.wait("to local you@second.test.example")
    second.log.wait("end msg", count=second.log.text().count("new msg "))
    [bounce] = messages(second.path / "alias/Maildir")
    assert b"Remote host said: too many hops, this message is looping (#5.4.6)\n" in bounce
