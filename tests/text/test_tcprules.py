"""Rules for connections."""

import pytest

from qmailpy.text.tcprules import groups_of, keys, safe, verdict


def test_the_order_of_keys():
    assert list(keys("192.0.2.7", b"h.x.example", b"joe")) == [
        b"joe@192.0.2.7", b"joe@=h.x.example", b"192.0.2.7", b"=h.x.example", b"192.0.2.", b"192.0.", b"192.", b"=.x.example", b"=.example", b"=", b""]
    assert list(keys("192.0.2.7", None, None)) == [b"192.0.2.7", b"192.0.2.", b"192.0.", b"192.", b""]


def test_ipv6_prefixes_are_written_out():
    found = list(keys("2001:db8::1", None, None))
    assert found[:3] == [b"2001:db8::1", b"2001:db8:0:0:0:0:0:", b"2001:db8:0:0:0:0:"]
    assert found[-3:] == [b"2001:db8:", b"2001:", b""]


@pytest.mark.parametrize(("address", "whole"), [
    (b"::1", b"0:0:0:0:0:0:0:1"), (b"2001:db8::", b"2001:db8:0:0:0:0:0:0"), (b"::", b"0:0:0:0:0:0:0:0"), (b"1:2:3:4:5:6:7:8", b"1:2:3:4:5:6:7:8"),
])
def test_groups(address, whole):
    assert groups_of(address) == whole


def test_verdicts():
    assert verdict(b"") == (False, [])
    assert verdict(b"D\0") == (True, [])
    assert verdict(b"+RELAYCLIENT=\0+A=b=c\0") == (False, [(b"RELAYCLIENT", b""), (b"A", b"b=c")])


def test_safe():
    assert safe(b"a:b%c d\n\xff") == "a?b?c?d??"
    assert safe(None) == ""
