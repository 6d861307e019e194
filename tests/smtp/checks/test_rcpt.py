"""control/rcpthosts and morercpthosts.cdb; how many recipients there may be."""

import pytest

from qmailpy.smtp.checks.rcpt import ROOM, few_enough, has_room, may_relay, suffixes
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import FakeWorld, values

LISTED = frozenset([b"ours.example", b".wild.example"])


def judge(recipient, *, rcpthosts=LISTED, relay=None, more=()):
    facts = Facts(values(rcpthosts=rcpthosts), Client(), relay)
    facts.recipient = recipient
    return may_relay(facts, FakeWorld(more=more)) is None


@pytest.mark.parametrize(("recipient", "taken"), [
    (b"a@ours.example", True), (b"a@OURS.example", True), (b"a@b@ours.example", True), (b"a@sub.ours.example", False), (b"a@x.wild.example", True),
    (b"a@x.y.wild.example", True), (b"a@wild.example", False), (b"nohost", True), (b"a@", False), (b"a@ours.example.", False),
    ("a@ours.\u212aexample".encode(), False),
])
def test_listed_domains(recipient, taken):
    assert judge(recipient) == taken


def test_no_file_takes_all_and_an_empty_one_nothing():
    assert judge(b"a@any", rcpthosts=None)
    assert not judge(b"a@any", rcpthosts=frozenset())


def test_a_relay_client_and_the_second_list():
    assert judge(b"a@any", relay=b"")
    assert judge(b"a@far.example", more=(b"far.example",))
    assert judge(b"a@x.far.example", more=(b".far.example",))
    assert not judge(b"a@other.example", more=(b"far.example",))


def test_suffixes():
    assert list(suffixes(b"a.b.c")) == [b"a.b.c", b".b.c", b".c"]
    assert list(suffixes(b".a")) == [b".a"]


@pytest.mark.parametrize("address", [b"x" * 899, b"a@example.com"])
def test_recipients_take_no_more_than_their_room(address):
    facts, accepted = Facts(values(), Client()), 0
    while has_room(facts, FakeWorld()) is None:
        facts.accept_recipient(address)
        accepted += 1
    assert has_room(facts, FakeWorld()).code == 452
    assert accepted > 10000
    assert accepted * len(address) <= ROOM
    facts.forget_transaction()
    assert has_room(facts, FakeWorld()) is None


@pytest.mark.parametrize(("limit", "before", "room"), [({}, 99, True), ({}, 100, False), ({"maxrecipients": 2}, 1, True), ({"maxrecipients": 2}, 2, False),
                                                       ({"maxrecipients": 0}, 100000, True)])
def test_as_many_recipients_as_maxrecipients_says(limit, before, room):
    facts = Facts(values(**limit), Client())
    facts.recipients = [b"a@b"] * before
    assert (few_enough(facts, FakeWorld()) is None) == room
