"""smtproutes, address literals, the order of exchangers."""

import itertools

import pytest

from qmailpy.remote.route import Hop, before_me, in_order, literal, parse, target

ROUTES = {b"host.example": b"exact", b".example": b"wild:26", b".sub.example": b"deeper", b"none.example": b"", b"": b"[2001:db8::9]:2525"}


@pytest.mark.parametrize(("host", "relay", "port", "routed"), [
    (b"HOST.example", b"exact", 25, True), (b"a.example", b"wild", 26, True), (b"a.sub.example", b"deeper", 25, True), (b"none.example", b"none.example", 25, False),
    (b"elsewhere", b"[2001:db8::9]", 2525, True), (b"example", b"[2001:db8::9]", 2525, True),
])
def test_the_most_special_route_wins(host, relay, port, routed):
    found = target(host, ROUTES)
    assert (found.host, found.port, found.relay) == (relay, port, routed)


def test_without_routes_a_host_is_its_own_target():
    found = target(b"[192.0.2.1]", {})
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
