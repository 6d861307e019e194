"""badmailfrom, helodnschk, antispoofing, mfcheck: the examples of the manual."""

import pytest

from qmailpy.smtp import callback, reply
from qmailpy.smtp.callback import Answer
from qmailpy.smtp.checks.sender import bad_mail_from, comes_from_its_network, domain_exists, exchanger_knows, helo_exists
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import FakeWorld, values


def facts(ip=b"192.0.2.7", relay=None, **given):
    return Facts(values(**given), Client(ip), relay)


@pytest.mark.parametrize(("sender", "refused"), [
    (b"bad@x.example", True), (b"BAD@X.Example", True), (b"a@evil.example", True), (b"a@sub.evil.example", False), (b"worse", True),
    (b"good@x.example", False), (b"", False), (b"@evil.example", True), (b"evil.example", False),
])
def test_addresses_and_domains(sender, refused):
    given = facts(badmailfrom=frozenset([b"bad@x.example", b"@evil.example", b"worse"]))
    given.sender = sender
    answer = bad_mail_from(given, None)
    assert (answer is not None) == refused
    if answer:
        assert answer.wire() == b"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n"


# helodnschk

@pytest.mark.parametrize(("name", "good"), [
    (b"mx.example.org", True), (b"nosuch.invalid", False), (b"localhost", False), (b"broken.example", True), (b"[192.0.2.1]", True), (b"[IPv6:2001:db8::1]", True),
    (b"192.0.2.1", False), (b"", False), (None, True),
])
def test_names_in_helo(name, good):
    world = FakeWorld(hosts=(b"mx.example.org",))
    given = facts(helodnschkext=True)
    given.helo = name
    assert helo_exists(given, world) is (None if good else reply.UNKNOWN_HELO)
    assert world.asked("log") == ([] if good else [b"helodnschk: <" + name + b"> at 192.0.2.7"])
    assert helo_exists(given, world) is (None if good else reply.UNKNOWN_HELO)
    assert len(world.asked("exists")) <= 1


@pytest.mark.parametrize(("relay", "given", "asked"), [
    (None, {"helodnschkext": True}, True), (None, {"helodnschkint": True}, False), (b"", {"helodnschkint": True}, True), (b"", {"helodnschkext": True}, False), (None, {}, False),
])
def test_whose_name_in_helo_is_looked_up(relay, given, asked):
    world, session = FakeWorld(), facts(relay=relay, **given)
    session.helo = b"nosuch.invalid"
    assert bool(helo_exists(session, world)) == asked
    assert bool(world.asked("exists")) == asked


def test_each_new_name_is_looked_up():
    world, given = FakeWorld(hosts=(b"good.example",)), facts(helodnschkext=True)
    for name, good in ((b"good.example", True), (b"bad.example", False), (b"good.example", True)):
        given.greet(name)
        assert (helo_exists(given, world) is None) == good
    assert world.asked("exists") == [b"good.example", b"bad.example", b"good.example"]


# antispoofing

SEED = [b"dan@foo.com: 10.10.10/255.255.0.0 10.195.4", b"bar.org: 10.98.8.3"]
MIXED = [b"Joe@A.Example: 10.0.0.1", b"B.EXAMPLE: 10.0.0.1", b"jim@c.example:203.0.113.9", b"c.example: 10.0.0.1", b"jack@d.example: 10.0.0.1", b"d.example : 203.0.113.9",
         b"e.example: 203.0.113.0/24", b"none.example: 10.1.2.300 host", b"empty.example:", b"twice.example: 10.0.0.1", b"twice.example:\t203.0.113.9 \t 10.0.0.2",
         b"six.example: 2001:db8::/32"]


@pytest.mark.parametrize(("lines", "sender", "client", "good"), [
    (SEED, b"dan@foo.com", b"10.10.77.1", True), (SEED, b"DAN@FOO.COM", b"10.195.4.9", True), (SEED, b"dan@foo.com", b"10.195.7.255", True),
    (SEED, b"dan@foo.com", b"10.195.8.1", False), (SEED, b"dan@foo.com", b"192.0.2.1", False), (SEED, b"jim@foo.com", b"192.0.2.1", True),
    (SEED, b"xxx@bar.org", b"10.98.8.3", True), (SEED, b"xxx@bar.org", b"10.98.8.4", False), (SEED, b"xxx@sub.bar.org", b"192.0.2.1", True), (SEED, b"", b"192.0.2.1", True),
    (SEED, b"bar.org", b"192.0.2.1", True), (SEED, b"a@b@bar.org", b"192.0.2.1", False), (SEED, b"#@[]", b"192.0.2.1", True),
    (MIXED, b"JOE@a.example", b"203.0.113.9", False), (MIXED, b"jane@a.example", b"203.0.113.9", True), (MIXED, b"x@b.example", b"203.0.113.9", False),
    (MIXED, b"jim@c.example", b"203.0.113.9", True), (MIXED, b"x@c.example", b"203.0.113.9", False), (MIXED, b"jack@d.example", b"203.0.113.9", False),
    (MIXED, b"x@d.example", b"203.0.113.9", True), (MIXED, b"x@e.example", b"203.0.113.77", True), (MIXED, b"x@none.example", b"10.1.2.3", False),
    (MIXED, b"x@empty.example", b"10.1.2.3", False), (MIXED, b"x@twice.example", b"10.0.0.1", True), (MIXED, b"x@twice.example", b"203.0.113.9", True),
    (MIXED, b"x@twice.example", b"10.0.0.5", False), (MIXED, b"x@d.example", b"::ffff:203.0.113.9", True), (MIXED, b"x@d.example", b"2001:db8::1", False),
    (MIXED, b"x@six.example", b"2001:db8::1", True), (MIXED, b"x@six.example", b"10.0.0.1", False), ([b"any.example: 0.0.0.0"], b"x@any.example", b"unknown", False),
    ([b"any.example: 0.0.0.0"], b"x@any.example", b"2001:db8::1", False), ([], b"x@bar.org", b"192.0.2.1", True), (None, b"x@bar.org", b"192.0.2.1", True),
])
@pytest.mark.parametrize("relay", [None, b""])
def test_networks_of_senders(lines, sender, client, good, relay):
    world, given = FakeWorld(), facts(client, relay, antispoofing=lines)
    given.claimed = sender
    assert comes_from_its_network(given, world) is (None if good else reply.FOREIGN_SENDER)
    assert (b"antispoofing: <" + sender + b"> at " + client in world.asked("log")) != good


def test_what_cannot_be_understood_is_told():
    world, given = FakeWorld(), facts(antispoofing=[b"bar.org 10.0.0.1", b"bar.org: 10..1 192.0.2.7 host"])
    given.claimed = b"a@bar.org"
    assert comes_from_its_network(given, world) is None
    assert world.asked("log") == [b"antispoofing: no colon: bar.org 10.0.0.1", b"antispoofing: bad network: 10..1"]


# mfcheck

@pytest.mark.parametrize(("sender", "refused"), [
    (b"", None), (b"#@[]", None), (b"root", reply.NO_SENDER_DOMAIN), (b"a@good.example", None), (b"a@GOOD.example", None), (b"a@nosuch.invalid", reply.NO_SENDER_DOMAIN),
    (b"a@broken.example", reply.NO_DNS), (b"a@[192.0.2.1]", None), (b"a@", reply.NO_SENDER_DOMAIN),
])
@pytest.mark.parametrize("relay", [None, b""])
@pytest.mark.parametrize("level", [1, 2, 7])
def test_domains_of_senders(sender, refused, relay, level):
    world, given = FakeWorld(domains=(b"good.example",)), facts(mfcheck=level, relay=relay)
    given.claimed = sender
    assert domain_exists(given, world) is refused
    assert bool(world.asked("log")) == bool(refused)
    for line in world.asked("log"):
        assert line.startswith(b"mfcheck: <" + sender + b"> at 192.0.2.7: ")


def test_no_domain_is_looked_up_if_that_is_off():
    world, given = FakeWorld(), facts()
    given.claimed = b"a@nosuch.invalid"
    assert domain_exists(given, world) is None
    assert world.done == []


@pytest.mark.parametrize(("verdict", "refused", "told"), [
    (callback.KNOWN, None, False), (callback.OURS, None, False), (callback.UNKNOWN, reply.NO_SENDER, True), (callback.LATER, reply.UNVERIFIED, True),
    (callback.UNASKABLE, None, True),
])
def test_callbacks(verdict, refused, told):
    world = FakeWorld(answers={b"a@b.example": Answer(verdict, b"192.0.2.1 says 550-no\n550 such user\n")})
    given = facts(mfcheck=2, helohost=b"mx.example", timeoutmfcheck=0)
    given.claimed = b"a@b.example"
    assert exchanger_knows(given, world) is refused
    assert world.asked("call_back") == [(b"a@b.example", b"mx.example", 1)]
    assert world.asked("log") == ([b"mfcheck: <a@b.example> at 192.0.2.7: 192.0.2.1 says 550-no/550 such user"] if told else [])


@pytest.mark.parametrize(("sender", "given"), [
    (b"", {"mfcheck": 2}), (b"#@[]", {"mfcheck": 2}), (b"a@[192.0.2.1]", {"mfcheck": 2}), (b"a@b.example", {"mfcheck": 2, "relay": b""}), (b"a@b.example", {"mfcheck": 1}),
    (b"a@b.example", {"mfcheck": 3}), (b"a@b.example", {}),
])
def test_who_is_not_called_back(sender, given):
    world, session = FakeWorld(), facts(**given)
    session.claimed = sender
    assert exchanger_knows(session, world) is None
    assert world.done == []
