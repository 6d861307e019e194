"""BATV in a session."""

import pytest

from qmailpy.smtp.checks.bounce import answers_our_mail, is_bounce, without_tag
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import FakeWorld, values

SECRET = {"signkey": b"secret", "nosignmydoms": frozenset([b"nosign.example"]), "nosignhosts": frozenset([b"far.example", b"relay.example"])}
ALICE, TAGGED = b"alice@example.org", b"prvs=01230d3ef5=alice@example.org"


def facts(sender=b"", *, host=b"client.example", relay=None, **given):
    found = Facts(values(**{**SECRET, **given}), Client(b"192.0.2.7", host), relay)
    found.sender = sender
    return found


def judge(sender, recipient, day, **given):
    """(the recipient as it is accepted, what is logged); None: it is refused."""
    found, world = facts(sender, **given), FakeWorld()
    found.recipient = without_tag(found, recipient, day * 86400)
    found.signed = found.recipient != recipient
    refused = answers_our_mail(found, world)
    if refused:
        assert refused.wire() == b"553 Not our message (#5.7.1)\r\n"
        assert world.logged == [b"bad bounce: at 192.0.2.7 to " + recipient]
        return None
    assert world.logged == []
    return found.recipient


@pytest.mark.parametrize(("day", "sender", "recipient", "accepted"), [
    (20123, b"", TAGGED, ALICE), (20130, b"", TAGGED, ALICE), (20131, b"", TAGGED, None), (21001, b"", b"prvs=0999535915=alice@example.org", ALICE),
    (20123, b"", ALICE, None), (20123, b"", b"prvs=01230d3ef6=alice@example.org", None), (20123, b"", b"prvs=01230D3EF5=alice@example.org", ALICE),
    (20123, b"", b"prvs=01230d3ef5=Alice@example.org", None), (20123, b"", b"prvs=11230d3ef5=alice@example.org", None),
    (20123, b"x@y.example", ALICE, ALICE), (20123, b"", b"alice@nosign.example", b"alice@nosign.example"), (20123, b"", b"alice@NoSign.example", b"alice@NoSign.example"),
    (20123, b"x@y.example", TAGGED, ALICE), (20123, b"x@y.example", b"prvs=01230d3ef6=alice@example.org", b"prvs=01230d3ef6=alice@example.org"),
    (20123, b"", b"nohost", None), (20123, b"#@[]", ALICE, ALICE), (20123, b"mailer-daemon@y.example", ALICE, None), (20123, b"mailer-daemon@far.example", ALICE, ALICE),
])
def test_the_table(day, sender, recipient, accepted):
    """aio: BATV, the last table, and what the rules above it say."""
    assert judge(sender, recipient, day) == accepted


def test_who_is_not_tested():
    assert judge(b"", ALICE, 20123, relay=b"") == ALICE
    assert judge(b"", TAGGED, 20123, relay=b"") == ALICE
    assert judge(b"", ALICE, 20123, host=b"RELAY.example") == ALICE
    assert judge(b"mailer-daemon@y.example", ALICE, 20123, host=b"relay.example") is None
    assert judge(b"", TAGGED, 20123, signkey=b"") == TAGGED
    assert judge(b"", TAGGED, 20123, signkey=None) == TAGGED


@pytest.mark.parametrize(("stale", "day", "accepted"), [(3, 20126, ALICE), (3, 20127, None), (999, 20122, ALICE), (0, 20123, ALICE), (0, 20124, None)])
def test_signkeystale(stale, day, accepted):
    assert judge(b"", TAGGED, day, signkeystale=stale) == accepted


@pytest.mark.parametrize(("sender", "bounce"), [
    (b"", True), (b"MAILER-Daemon@y.example", True), (b"mailer-daemon", True), (b"mailer-daemon@FAR.example", False), (b"mailer-daemon@x@y.example", False),
    (b"a@mailer-daemon", False), (b"x@y.example", False), (b"#@[]", False),
])
def test_bounces(sender, bounce):
    assert is_bounce(facts(sender)) == bounce
