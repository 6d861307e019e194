"""Sizes, hops, viruses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.settings.kinds import Sizes
from qmailpy.smtp.checks.message import announced_size, begin_scan, few_hops, free_of_viruses, is_one_for_all, recipient_limit, strictest, within_limit
from qmailpy.smtp.data import Message
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import FakeQueue, FakeWorld, values


@pytest.mark.parametrize(("limit", "size", "refused"), [(0, 10**12, False), (10, 10, False), (10, 11, True), (10, 0, False)])
def test_announced_sizes_against_databytes(limit, size, refused):
    facts = Facts(values(databytes=limit), Client())
    facts.size = size
    assert (announced_size(facts, None) is not None) == refused
    for name in ("databytesmf", "databytesrcpt"):
        facts.values = values(databytes=limit, **{name: {}})
        assert announced_size(facts, None) is None
        assert not is_one_for_all(facts.values)


def limit_of(databytes, by_sender, by_recipient, sender, *recipients):
    given = {name: None if text is None else Sizes.parse(text.encode()) for name, text in (("databytesmf", by_sender), ("databytesrcpt", by_recipient))}
    facts, world = Facts(values(databytes=databytes, **given), Client()), FakeWorld()
    facts.sender = sender.encode()
    for recipient in recipients:
        facts.recipient = recipient.encode()
        facts.limit = strictest((facts.limit, recipient_limit(facts, world)))
    return facts.limit, world.logged


ROWS = [
    (1000, "big@a.example:5000", None, ("big@a.example", "x@l.example"), 5000), (1000, "big@a.example:5000", None, ("BIG@A.EXAMPLE", "x@l.example"), 5000),
    (1000, "big@a.example:5000", None, ("other@a.example", "x@l.example"), 1000), (1000, "big@a.example:0", None, ("big@a.example", "x@l.example"), 0),
    (1000, "small@a.example:10", None, ("small@a.example", "x@l.example"), 10), (1000, None, "x@l.example:200", ("any@a", "x@l.example"), 200),
    (1000, None, "x@l.example:200", ("any@a", "x@l.example", "y@l.example"), 200), (1000, None, "x@l.example:9000", ("any@a", "x@l.example", "y@l.example"), 1000),
    (1000, "s@a.example:5000", "x@l.example:200", ("s@a.example", "x@l.example"), 200), (1000, "s@a.example:0", "x@l.example:200", ("s@a.example", "x@l.example"), 200),
    (0, "s@a.example:0", "x@l.example:0", ("s@a.example", "x@l.example"), 0), (1000, None, None, ("s@a.example", "x@l.example"), 1000),
    (1000, "s@a.example:10k", None, ("s@a.example", "x@l.example"), 10),
    (1000, "@a.example:50\ns@a.example:30", None, ("s@A.example", "x"), 30), (1000, "@a.example:50", None, ("t@A.example", "x"), 50),
    (1000, "@a.example:50", None, ("t@sub.a.example", "x"), 1000), (1000, ":40", None, ("", "x"), 40), (1000, ":40", None, ("s@a.example", "x"), 1000),
    (1000, None, "@l.example:7", ("s", "x@l.example"), 7), (1000, None, "nohost:7", ("s", "NoHost"), 7), (0, None, "x@l:9\ny@l:0", ("s", "y@l", "x@l"), 9),
    (1000, "a@b:10:5000", None, ("a@b", "x"), 10), (1000, "a@b:9\nA@b:8", None, ("a@b", "x"), 8), (1000, "", "", ("a@b", "x"), 1000),
]


@pytest.mark.parametrize(("databytes", "by_sender", "by_recipient", "addresses", "limit"), ROWS)
def test_limits_by_sender_and_recipients(databytes, by_sender, by_recipient, addresses, limit):
    """aio: databytesmf, databytesrcpt, the table, and the rules above it."""
    assert limit_of(databytes, by_sender, by_recipient, *addresses) == (limit, [])
    assert limit_of(databytes, by_sender, by_recipient, addresses[0], *reversed(addresses[1:])) == (limit, [])


@pytest.mark.parametrize(("text", "limit", "logged"), [
    ("u@a.example:none", 1000, [b"databytesmf: no number: u@a.example:none"]), ("@a.example:60\nu@a.example:", 60, [b"databytesmf: no number: u@a.example:"]),
    ("u@a.example:30\nu@a.example:none", 30, []), ("u@a.example:none\nu@a.example:30", 30, []), ("u@a.example", 1000, []),
])
def test_a_line_without_a_number_is_ignored_and_logged(text, limit, logged):
    assert limit_of(1000, text, None, "u@a.example", "x", "y") == (limit, logged)


@given(st.lists(st.integers(0, 5), max_size=5))
def test_zero_is_infinite(limits):
    found = strictest(limits)
    assert (found or 99) == min((one or 99 for one in limits), default=99)


def message(text=b"x\r\n", limit=0, scan=None):
    """Facts about a message that has come."""
    facts = Facts(values(clamd=b"127.0.0.1:1", timeoutclamd=7), Client(b"192.0.2.7"))
    facts.message = Message(FakeQueue(FakeWorld()), limit, scan)
    facts.message.feed(text + b".\r\n")
    return facts


@pytest.mark.parametrize(("limit", "refused"), [(5, False), (4, True), (0, False)])
def test_the_size_that_counts(limit, refused):
    """aio: the byte example: dots are unstuffed, line ends are one byte."""
    assert (within_limit(message(b"a\r\n..b\r\n", limit), None) is not None) == refused


@pytest.mark.parametrize(("hops", "refused"), [(99, False), (100, True)])
def test_hops(hops, refused):
    assert (few_hops(message(b"Received: x\r\n" * hops), None) is not None) == refused


def test_no_message_is_no_trouble():
    facts = Facts(values(), Client())
    assert few_hops(facts, None) is within_limit(facts, None) is free_of_viruses(facts, None) is begin_scan(facts, None) is None


@pytest.mark.parametrize(("says", "reject", "reply", "logged"), [
    (None, False, None, []), (None, True, None, []),
    (b"Eicar", False, b"554 sorry, your message contains a virus: Eicar (#5.7.1)\r\n", [b"clamd: virus Eicar from 192.0.2.7"]),
    (b"Eicar", True, b"554 sorry, your message contains a virus: Eicar (#5.7.1)\r\n", [b"clamd: virus Eicar from 192.0.2.7"]),
    ("timed out", False, None, [b"clamd: failed: timed out"]),
    ("timed out", True, b"451 sorry, virus scanner temporarily unavailable (#4.3.0)\r\n", [b"clamd: failed: timed out"]),
])
def test_clamds_verdict(says, reject, reply, logged):
    """aio: clamd, the table of results."""
    world = FakeWorld(scan=says)
    facts = message(scan=world.open_scan(b"", 0))
    facts.values = values(clamdfailreject=reject)
    answer = free_of_viruses(facts, world)
    assert (None if answer is None else answer.wire(), world.logged) == (reply, logged)


def test_a_scan_begins_where_clamd_is_named():
    world = FakeWorld()
    assert begin_scan(message(), world) is world.scans[0]
    assert world.asked("clamd") == [(b"127.0.0.1:1", 7)]
    assert begin_scan(Facts(values(clamd=b""), Client()), world) is None
