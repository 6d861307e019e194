"""smtproutes, address literals, the order of exchangers."""

import itertools

import pytest

from qmailpy.remote.route import QMTP, QMTP_PORT, SMTP, SMTP_PORT, Hop, Target, before_me, doors, in_order, literal, parse, place, target

ROUTES = {b"host.example": b"exact", b".example": b"wild:26", b".sub.example": b"deeper", b"none.example": b"", b"": b"[2001:db8::9]:2525"}


@pytest.mark.parametrize(("host", "relay", "port", "routed"), [
    (b"HOST.example", b"exact", 25, True), (b"a.example", b"wild", 26, True), (b"a.sub.example", b"deeper", 25, True), (b"none.example", b"none.example", 25, False),
    (b"elsewhere", b"[2001:db8::9]", 2525, True), (b"example", b"[2001:db8::9]", 2525, True),
])
def test_the_most_special_route_wins(host, relay, port, routed):
    found = target(host, ROUTES, {})
    assert (found.host, found.port, found.relay) == (relay, port, routed)


def test_without_routes_a_host_is_its_own_target():
    found = target(b"[192.0.2.1]", {}, {})
    assert (found.host, found.port, found.relay) == (b"[192.0.2.1]", 25, False)


@pytest.mark.parametrize(("relay", "host", "port"), [
    (b"r", b"r", 25), (b"r:26", b"r", 26), (b"r:", b"r", 25), (b"r:x", b"r", 25), (b"[192.0.2.1]", b"[192.0.2.1]", 25), (b"[192.0.2.1]:7", b"[192.0.2.1]", 7),
    (b"2001:db8::1", b"2001:db8::1", 25), (b"[IPv6:2001:db8::1]:26", b"[IPv6:2001:db8::1]", 26),
])
def test_forms_of_a_relay(relay, host, port):
    found = parse(relay)
    assert (found.host, found.port, found.relay) == (host, port, True)


@pytest.mark.parametrize(("host", "address"), [
    (b"192.0.2.1", "192.0.2.1"), (b"[192.0.2.1]", "192.0.2.1"), (b"[IPv6:2001:db8::1]", "2001:db8::1"), (b"2001:db8::1", "2001:db8::1"), (b"host.example", None),
    (b"192.0.2.256", None), (b"192.0.2", None), (b"[x]", None), (b"1.2.3.4.5", None), (b"", None), (b"fe80::1%eth0", None),
])
def test_literals(host, address):
    assert literal(host) == address


def test_exchangers_by_preference_and_drawn_among_equals():
    given = [(20, b"c"), (10, b"a"), (10, b"b")]
    assert in_order(given, itertools.count().__next__) == [(10, b"a"), (10, b"b"), (20, b"c")]
    assert in_order(given, itertools.count(0, -1).__next__) == [(10, b"b"), (10, b"a"), (20, b"c")]


def test_only_what_is_preferred_to_us_is_tried():
    hops = [Hop("a", 5), Hop("me", 10), Hop("b", 10), Hop("c", 20)]
    assert [hop.address for hop in before_me(hops, lambda address: address == "me")] == ["a"]
    assert len(before_me(hops, lambda address: False)) == 4
    assert before_me(hops[1:2], lambda address: True) == []


QMTP_ROUTES = {b"host.example": b"fast", b".sub.example": b"deep:2090", b".example": b"", b"six.example": b"2001:db8::1"}


@pytest.mark.parametrize(("host", "relay", "port", "protocol"), [
    (b"host.example", b"fast", 209, QMTP), (b"a.sub.example", b"deep", 2090, QMTP), (b"b.example", b"b.example", 25, SMTP), (b"six.example", b"2001:db8::1", 209, QMTP),
    (b"elsewhere", b"[2001:db8::9]", 2525, SMTP), (b"none.example", b"none.example", 25, SMTP),
])
def test_qmtproutes_before_smtproutes_at_each_key(host, relay, port, protocol):
    found = target(host, ROUTES, QMTP_ROUTES)
    assert (found.host, found.port, found.protocol) == (relay, port, protocol)


def test_a_longer_key_of_smtproutes_is_before_a_shorter_one_of_qmtproutes():
    assert target(b"a.b.example", {b".b.example": b"s"}, {b".example": b"q"}).protocol == SMTP


@pytest.mark.parametrize(("preference", "first"), [(12800, SMTP), (12801, QMTP), (12802, SMTP), (12817, QMTP), (13041, QMTP), (13055, SMTP), (13057, SMTP), (0, SMTP), (1, SMTP)])
def test_a_preference_may_say_that_qmtp_is_taken(preference, first):
    found = doors(Target(b"h"), Hop("192.0.2.1", preference), True)
    assert found[0] == ((QMTP_PORT, QMTP) if first == QMTP else (SMTP_PORT, SMTP))
    assert found[-1] == (SMTP_PORT, SMTP)
    assert doors(Target(b"h"), Hop("192.0.2.1", preference), False) == ((SMTP_PORT, SMTP),)


def test_a_route_has_one_door():
    assert doors(Target(b"h", 99, True, QMTP), Hop("192.0.2.1", 12801), True) == ((99, QMTP),)


@pytest.mark.parametrize(("text", "found"), [
    (b"192.0.2.1", ("192.0.2.1", 628)), (b"192.0.2.1:25", ("192.0.2.1", 25)), (b"[2001:db8::1]:7", ("2001:db8::1", 7)), (b"2001:db8::1", ("2001:db8::1", 628)),
    (b"name.example", None), (b"", None), (b"192.0.2.1:x", ("192.0.2.1", 628)),
])
def test_place(text, found):
    assert place(text, 628) == found
