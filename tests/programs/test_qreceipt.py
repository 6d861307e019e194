"""qreceipt: which messages are answered, with what, and to whom."""

import pytest

from tests.checkout import LittleHome
from tests.dotqmail import outcome, run

JOE = "joe@me.example"
ASKS = b"Notice-Requested-Upon-Delivery-To: joe@me.example\n"
HI = b"\n\nHi! This is the qreceipt program. Your message was delivered to the\nfollowing address: joe@me.example. Thanks for asking.\n"


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def answer(home, message, address=JOE, **env):
    """(message, envelope) of the answer, or None."""
    assert outcome(run(home, "qreceipt", address, message=message, **env)) == (0, b"", b"")
    return home.queued()


def test_the_answer_goes_to_the_sender_and_has_none_itself(home):
    message, envelope = answer(home, b"Message-ID: <old>\nMESSAGE-ID: <1@x.example>\n" + ASKS + b"\nbody\n")
    assert message == (b"From: DELIVERY NOTICE SYSTEM <s@x.example>\nTo: <s@x.example>\nSubject: success notice" + HI + b"Your MESSAGE-ID: <1@x.example>\n")
    assert envelope == b"F\0Ts@x.example\0\0"


def test_without_an_identity(home):
    assert answer(home, ASKS)[0].endswith(b"success notice" + HI)


def test_a_sender_that_needs_quotes(home):
    message, envelope = answer(home, ASKS, SENDER="a b@x.example")
    assert b'\nTo: <"a b"@x.example>\n' in message
    assert envelope == b"F\0Ta b@x.example\0\0"


@pytest.mark.parametrize("field", [
    b"joe@me.example", b"other@x, joe@me.example", b"joe@me.example, other@x", b"Joe <joe@me.example> (away)", b'"joe"@me.example', b"\n  joe@me.example",
    b"joe@me.example\r", b'"a\rb"@x, joe@me.example', b"other@x\nnotice-requested-upon-delivery-to : joe@me.example", b"joe@me.example\nNotice-Requested-Upon-Delivery-To: x",
    b"list: joe@me.example;",
])
def test_our_address_is_asked_for(home, field):
    assert answer(home, b"Notice-Requested-Upon-Delivery-To: " + field + b"\n\n")


@pytest.mark.parametrize("message", [
    b"", b"Subject: x\n\nbody\n", b"Subject: x\n\n" + ASKS, b"X-" + ASKS, b"Notice-Requested-Upon-Delivery-To: ann@me.example\n", b"Notice-Requested-Upon-Delivery-To:\n",
    b"Notice-Requested-Upon-Delivery-To: JOE@me.example\n", b"Notice-Requested-Upon-Delivery-To: (joe@me.example)\n",
])
def test_it_is_not(home, message):
    assert answer(home, message) is None


@pytest.mark.parametrize("sender", ["", "#@[]"])
def test_bounces_are_never_answered(home, sender):
    assert answer(home, ASKS, SENDER=sender) is None


@pytest.mark.parametrize("sender", ["s@x\nBcc: all@x", "s@x\rBcc: all@x"])
def test_a_sender_with_a_line_break_is_not_answered(home, sender):
    assert outcome(run(home, "qreceipt", JOE, message=ASKS, SENDER=sender)) == (100, b"", b"qreceipt: fatal: SENDER has a line break in it\n")
    assert answer(home, b"Subject: x\n", SENDER=sender) is None


@pytest.mark.parametrize("field", [b"Notice-Requested-Upon-Delivery-To: (joe\n joe\n", b"Notice-Requested-Upon-Delivery-To: joe>\n"])
def test_a_field_that_makes_no_sense(home, field):
    assert outcome(run(home, "qreceipt", JOE, message=field)) == (100, b"", b"qreceipt: fatal: unable to parse this: " + field)
    assert home.queued() is None


@pytest.mark.parametrize(("code", "says", "status", "kind"), [(31, "", 100, b"permanent"), (82, "Dno", 100, b"permanent"), (53, "", 111, b"temporary")])
def test_what_the_queue_says(home, code, says, status, kind):
    home.queue_exits(code, says)
    assert outcome(run(home, "qreceipt", JOE, message=ASKS)) == (status, b"", b"qreceipt: fatal: " + kind + b" qmail-queue error\n")


def test_a_message_that_cannot_be_read(home):
    assert outcome(run(home, "qreceipt", JOE, before="exec <&-")) == (111, b"", b"qreceipt: fatal: read error\n")


@pytest.mark.parametrize(("words", "without"), [((), ()), ((JOE,), ("SENDER",))])
def test_usage(home, words, without):
    assert outcome(run(home, "qreceipt", *words, message=ASKS, without=without)) == (100, b"", b"qreceipt: usage: qreceipt deliveryaddress\n")
