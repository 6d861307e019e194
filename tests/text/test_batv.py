"""Signed senders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.batv import signed, today, unsigned

ALICE = b"alice@example.org"


@pytest.mark.parametrize(("day", "key", "address", "tagged"), [
    (18891, b"1632203830", b"test@example.com", b"prvs=0891a9abd5=test@example.com"),
    (20123, b"secret", ALICE, b"prvs=01230d3ef5=alice@example.org"),
    (20999, b"secret", ALICE, b"prvs=0999535915=alice@example.org"),
    (21000, b"secret", ALICE, b"prvs=0000937036=alice@example.org"),
    (21000, b"secret", b"Alice@Example.ORG", b"prvs=0000f979b6=Alice@Example.ORG"),
    (20123, b"secret", b"a=b@example.org", b"prvs=012314553c=a=b@example.org"),
])
def test_signing(day, key, address, tagged):
    assert signed(address, key, day) == tagged
    assert unsigned(tagged, key, day, 0) == address


@pytest.mark.parametrize(("day", "address", "found"), [
    (20123, b"prvs=01230d3ef5=alice@example.org", ALICE), (20130, b"prvs=01230d3ef5=alice@example.org", ALICE),
    (20131, b"prvs=01230d3ef5=alice@example.org", None), (20122, b"prvs=01230d3ef5=alice@example.org", None),
    (21001, b"prvs=0999535915=alice@example.org", ALICE), (20123, ALICE, None), (20123, b"prvs=01230d3ef6=alice@example.org", None),
    (20123, b"prvs=01230D3EF5=alice@example.org", ALICE), (20123, b"prvs=01230d3ef5=Alice@example.org", None),
    (20123, b"prvs=11230d3ef5=alice@example.org", None), (20123, b"PRVS=01230d3ef5=alice@example.org", None),
    (20123, b"prvs=0123", None), (20123, b"prvs=0", None), (20123, b"", None), (20123, b"prvs=0x230d3ef5=alice@example.org", None),
])
def test_checking(day, address, found):
    assert unsigned(address, b"secret", day, 7) == found


@given(st.binary(max_size=40), st.binary(max_size=20), st.integers(0, 99999), st.integers(0, 998))
def test_what_is_signed_is_good_until_it_is_stale(address, key, day, age):
    tagged = signed(address, key, day)
    assert unsigned(tagged, key, day + age, age) == address
    assert unsigned(tagged, key, day + age + 1, age) is None


@given(st.binary(max_size=60))
def test_anything_may_be_checked(address):
    assert unsigned(address, b"k", 20000, 7) is None or address.startswith(b"prvs=0")


def test_days():
    assert (today(86399), today(86400)) == (0, 1)
