"""The local address of a connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.remote.report import Failed
from qmailpy.remote.source import Sources

ROUTES = {b"10.": b"192.0.2.1", b"10.10.": b"192.0.2.2", b"10.10.10.": b"192.0.2.3", b"10.10.10.10": b"192.0.2.4", b"": b"192.0.2.5", b"1.2.3.4": b""}
WITHOUT_REST = {key: value for key, value in ROUTES.items() if key}


def address(destination, *, senderip=(), bindroutes=(), outgoingip=b"", sender=b""):
    return Sources(dict(senderip), dict(bindroutes), outgoingip, sender).address(destination)


@pytest.mark.parametrize(("destination", "source"), [
    ("10.10.10.10", "192.0.2.4"), ("10.10.10.11", "192.0.2.3"), ("10.10.100.1", "192.0.2.2"), ("10.101.1.1", "192.0.2.1"), ("100.1.1.1", "192.0.2.5"),
    ("1.2.3.4", None), ("1.2.3.5", "192.0.2.5"),
])
def test_bindroutes(destination, source):
    assert address(destination, bindroutes=ROUTES) == source


@pytest.mark.parametrize(("outgoingip", "source"), [(b"", ""), (b"192.0.2.99", "192.0.2.99"), (b"0.0.0.0", "")])
def test_without_a_route_outgoingip_counts(outgoingip, source):
    assert address("100.1.1.1", bindroutes=WITHOUT_REST, outgoingip=outgoingip) == source


@pytest.mark.parametrize(("value", "source"), [(b"0.0.0.0", ""), (b"", None), (b"host", None), (b"192.0.2.256", None), (b"2001:db8::1", None), (b" 192.0.2.1", None)])
def test_a_value_that_is_no_address_contacts_nobody(value, source):
    assert address("10.1.1.1", bindroutes={b"10.": value}, outgoingip=b"192.0.2.99") == source


BOTH = {"senderip": {b"a.example": b"192.0.2.10"}, "bindroutes": {b"10.": b"192.0.2.1"}, "outgoingip": b"192.0.2.99"}


@pytest.mark.parametrize(("sender", "destination", "source"), [
    (b"x@a.example", "10.1.1.1", "192.0.2.10"), (b"x@A.EXAMPLE", "198.51.100.1", "192.0.2.10"), (b"x@sub.a.example", "10.1.1.1", "192.0.2.1"),
    (b"x@b.example", "10.1.1.1", "192.0.2.1"), (b"x@b.example", "198.51.100.1", "192.0.2.99"), (b"", "198.51.100.1", "192.0.2.99"),
    (b"a.example", "198.51.100.1", "192.0.2.99"), (b"x@y@a.example", "10.1.1.1", "192.0.2.10"), (b"x@a.example@b.example", "10.1.1.1", "192.0.2.1"),
])
def test_senderip_before_bindroutes_before_outgoingip(sender, destination, source):
    assert address(destination, sender=sender, **BOTH) == source


@pytest.mark.parametrize(("senderip", "sender", "source"), [
    ({b"": b"192.0.2.7"}, b"", "192.0.2.7"), ({b"a.example": b""}, b"x@a.example", "192.0.2.1"), ({b"a.example": b"host"}, b"x@a.example", None),
    ({b"a.example": b"0.0.0.0"}, b"x@a.example", ""),
])
def test_odd_entries_of_senderip(senderip, sender, source):
    assert address("10.1.1.1", senderip=senderip, sender=sender, bindroutes={b"10.": b"192.0.2.1"}) == source


@pytest.mark.parametrize("ban", [b"", b"host"])
def test_a_ban_holds_for_those_with_an_address_of_their_own(ban):
    assert address("1.2.3.4", senderip={b"a.example": b"192.0.2.10"}, sender=b"x@a.example", bindroutes={b"1.": ban}) is None


def test_ipv6_destinations_are_left_to_the_system():
    assert address("2001:db8::1", sender=b"x@a.example", **{**BOTH, "bindroutes": ROUTES}) == ""


@pytest.mark.parametrize("value", [b"host", b"192.0.2", b"::1"])
def test_an_outgoingip_that_is_none(value):
    with pytest.raises(Failed) as problem:
        Sources({}, {}, value, b"")
    assert problem.value.record == b"Zinvalid ipaddr in control/outgoingip (#4.3.0)\n\0"


NUMBER = st.sampled_from(["1", "10", "101", "2"])
PREFIX = st.lists(NUMBER, max_size=4).flatmap(lambda numbers: st.sampled_from([".".join(numbers), ".".join(numbers) + "."]))


@given(st.lists(NUMBER, min_size=4, max_size=4), st.dictionaries(PREFIX, st.integers(1, 250), max_size=8))
def test_the_longest_prefix_wins(numbers, routes):
    """Against a model that looks at every entry."""
    destination = ".".join(numbers)
    fitting = [key for key in routes if key in ("", destination) or (key.endswith(".") and destination.startswith(key))]
    expected = f"192.0.2.{routes[max(fitting, key=len)]}" if fitting else ""
    assert address(destination, bindroutes={key.encode(): b"192.0.2.%d" % value for key, value in routes.items()}) == expected
