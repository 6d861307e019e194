"""smtproutes, address literals, the order of exchangers."""

import itertools

import pytest

from qmailpy.remote.report import Failed
from qmailpy.remote.route import QMTP, QMTP_PORT, SMTP, SMTP_PORT, Hop, Target, before_me, doors, in_order, ipv4, literal, parse, place, route

ROUTES = {b"host.example": b"exact", b".example": b"wild:26", b".sub.example": b"deeper", b"none.example": b"", b"": b"[2001:db8::9]:2525"}


def target(host, smtproutes, qmtproutes):
    """The only target of a route without a login."""
    found = route(host, smtproutes, qmtproutes)
    assert len(found.targets) == 1 and found.login is None
    return found.targets[0]


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


@pytest.mark.parametrize(("text", "relay", "port", "user", "password"), [
    (b"external.example.com:26 username password", b"external.example.com", 26, b"username", b"password"), (b"relay.example u p", b"relay.example", 25, b"u", b"p"),
    (b"smart.example:587 joe my:secret word", b"smart.example", 587, b"joe", b"my:secret word"), (b"[192.0.2.5]:2525 u p", b"[192.0.2.5]", 2525, b"u", b"p"),
    (b"relay.example:465 u p", b"relay.example", 465, b"u", b"p"), (b"r\t u \t p\t q", b"r", 25, b"u", b"p\t q"), (b"r  u   p  q", b"r", 25, b"u", b"p  q"),
])
def test_a_route_with_user_and_password(text, relay, port, user, password):
    found = route(b"x.example", {b"": text}, {})
    [wanted] = found.targets
    assert (wanted.host, wanted.port, wanted.relay, wanted.protocol) == (relay, port, True, SMTP)
    assert (found.login.user, found.login.password) == (user, password)


@pytest.mark.parametrize("text", [b" u p", b"\tu p"])
def test_a_login_without_a_relay_is_for_nobody(text):
    found = target(b"d.example", {b"d.example": text}, {})
    assert (found.host, found.port, found.relay) == (b"d.example", 25, False)


@pytest.mark.parametrize("text", [b"relay.example secret", b" secret", b"r1,r2:26 secret"])
def test_a_user_without_a_password_is_a_mistake_and_is_not_shown(text):
    with pytest.raises(Failed) as problem:
        route(b"d\n.example", {b".example": text}, {})
    assert problem.value.record == b"ZRoute for d?.example has a user name but no password. (#4.3.5)\n\0"


@pytest.mark.parametrize(("text", "targets"), [
    (b"r1.example,r2.example:26", [(b"r1.example", 25), (b"r2.example", 26)]), (b"[2001:db8::1]:26,[192.0.2.1],r u p", [(b"[2001:db8::1]", 26), (b"[192.0.2.1]", 25), (b"r", 25)]),
    (b"r1,,r2,", [(b"r1", 25), (b"r2", 25)]), (b",", [(b",", 25)]),
])
def test_relays_in_turn(text, targets):
    found = route(b"x.example", {b"": text}, {})
    assert [(wanted.host, wanted.port) for wanted in found.targets] == targets
    assert all(wanted.relay for wanted in found.targets)
    assert (found.login is not None) == text.endswith(b" u p")


def test_routes_by_qmtp_are_one_relay_without_a_login():
    assert target(b"x", {}, {b"x": b"a,b"}).host == b"a,b"


@pytest.mark.parametrize(("text", "address"), [(b"192.0.2.1", "192.0.2.1"), (b"010.0.0.1", "10.0.0.1"), (b"[192.0.2.1]", None), (b"::1", None), (b"1.2.3.-4", None), (b"", None)])
def test_ipv4(text, address):
    assert ipv4(text) == address


def test_a_hop_has_no_dot_at_the_end_of_its_name():
    assert Hop("192.0.2.1", 0, b"mx.example.").name == b"mx.example"
