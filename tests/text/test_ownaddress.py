"""Is this address me?  The table of the rule, row by row; and the rule against a slow, obvious model."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.ip import packed
from qmailpy.text.ownaddress import BUILT_IN, Network, OwnAddresses, longest, network, networks

LO, HOST = b"127.0.0.1", b"192.0.2.5"
NET24, NET16, LOOPBACK = b"10.0.0.0/255.255.255.0", b"10.0.0.0/255.255.0.0", b"127.0.0.0/255.0.0.0"


# aio: Own-address list
@pytest.mark.parametrize(("moreipme", "notipme", "interface", "tested", "own", "excluded", "me"), [
    ([], [], [HOST], "192.0.2.5", 32, -1, True),
    ([], [], [HOST], "192.0.2.6", -1, -1, False),
    ([], [], [], "127.9.9.9", 8, -1, True),
    ([], [], [], "0.0.0.0", 32, -1, True),
    ([], [b"127.0.0.2"], [], "127.0.0.2", 8, 32, False),
    ([], [b"127.0.0.2"], [], "127.0.0.3", 8, -1, True),
    ([], [LOOPBACK], [LO], "127.9.9.9", 8, 8, False),
    ([], [LOOPBACK], [LO], "127.0.0.1", 32, 8, True),
    ([b"203.0.113.7"], [], [], "203.0.113.7", 32, -1, True),
    ([NET24], [NET16], [], "10.0.0.9", 24, 16, True),
    ([NET24], [NET16], [], "10.0.1.9", -1, 16, False),
    ([b"203.0.113.7"], [b"203.0.113.7"], [], "203.0.113.7", 32, 32, False),
    ([], [HOST], [HOST], "192.0.2.5", 32, 32, False),
    ([b"10.0.0.1/255.0.0.0"], [], [], "10.0.0.1", -1, -1, False),
    ([], [b"0.0.0.0/0.0.0.0"], [HOST], "192.0.2.5", 32, 0, True),
    # IPv6, by the same rule
    ([], [], [b"2001:db8::5"], "2001:DB8:0::5", 128, -1, True),
    ([], [], [], "::1", 128, -1, True),
    ([], [], [], "::2", -1, -1, False),
    ([b"2001:db8::/32"], [b"2001:db8:1::/48"], [], "2001:db8:2::1", 32, -1, True),
    ([b"2001:db8::/32"], [b"2001:db8:1::/48"], [], "2001:db8:1::1", 32, 48, False),
    ([b"2001:db8::1/32"], [], [], "2001:db8::1", -1, -1, False),
    ([b"::/0"], [], [], "192.0.2.5", -1, -1, False),
    ([b"0.0.0.0/0"], [], [], "2001:db8::1", -1, -1, False),
    ([], [], [HOST], "::ffff:192.0.2.5", 32, -1, True),
    ([b"::ffff:192.0.2.5"], [], [], "192.0.2.5", 32, -1, True),
])
def test_the_table(moreipme, notipme, interface, tested, own, excluded, me):
    known = OwnAddresses(networks([*BUILT_IN, *interface, *moreipme]), networks(notipme))
    address = packed(tested.encode())
    assert (longest(known.own, address), longest(known.excluded, address)) == (own, excluded)
    assert known.has(tested) is me


@pytest.mark.parametrize("tested", ["", "host.example", "192.0.2", "192.0.2.5\0", "\udcff"])
def test_what_is_no_address_is_not_me(tested):
    assert not OwnAddresses(networks([b"0.0.0.0/0", b"::/0"]), []).has(tested)


@pytest.mark.parametrize(("row", "address", "length"), [
    (b"10.0.0.0", "10.0.0.0", 32), (b"10.0.0.0/255.0.0.0", "10.0.0.0", 8), (b"10.0.0.0/8", "10.0.0.0", 8), (b"10.0.0.0/0", "10.0.0.0", 0), (b"10.0.0.0/32", "10.0.0.0", 32),
    (b"10.0.0.0/255.255.0.255", "10.0.0.0", 16), (b"10.0.0.0/255.254.128.0", "10.0.0.0", 15), (b"10.0.0.0/0.255.0.0", "10.0.0.0", 0),
    (b"2001:db8::/32", "2001:db8::", 32), (b"::1", "::1", 128), (b"::/0", "::", 0), (b"::1/128", "::1", 128),
])
def test_entries(row, address, length):
    found = network(row)
    assert (found.address, found.length()) == (ipaddress.ip_address(address).packed, length)


@pytest.mark.parametrize("row", [
    b"", b"#10.0.0.1", b" 10.0.0.1", b"host", b"10.0.0", b"10.0.0.1/", b"10.0.0.1/255", b"10.0.0.1/33", b"10.0.0.1/-1", b"10.0.0.1/255.0.0", b"10.0.0.1/8/8", b"10.0.0.1 8",
    b"10.0.0.1/0.0.0.256", b"::1/129", b"::1/", b"::1/ffff::", b"2001:db8::/255.255.0.0", b"::ffff:10.0.0.0/104", b"::ffff:10.0.0.0/8", b"10.0.0.1/::1",
])
def test_what_is_no_entry_is_passed_over(row):
    assert network(row) is None
    assert [found.address for found in networks([row, LO, row])] == [b"\x7f\0\0\1"]


def bits(data):
    return "".join(f"{byte:08b}" for byte in data)


def slow(entries, address):
    """How many one bits the longest mask of those begins with that fit; -1: none fits."""
    best = -1
    for start, mask in entries:
        fits = all((one if keep == "1" else "0") == wanted for one, keep, wanted in zip(bits(address), bits(mask), bits(start), strict=True))
        ones = 0
        while bits(mask)[ones:ones + 1] == "1":
            ones += 1
        if fits and ones > best:
            best = ones
    return best


@st.composite
def lists(draw):
    """An address, and two lists of (address, mask), of which many hold it."""
    size = draw(st.sampled_from([4, 16]))
    some = st.lists(st.sampled_from([0, 1, 2, 127, 128, 192, 254, 255]), min_size=size, max_size=size).map(bytes)
    address = draw(some)

    def entry():
        mask, start = draw(some), draw(some)
        return bytes(one & keep for one, keep in zip(address if draw(st.booleans()) else start, mask, strict=True)), mask

    return address, [entry() for _ in range(draw(st.integers(0, 4)))], [entry() for _ in range(draw(st.integers(0, 4)))]


@given(lists())
def test_the_longest_mask_decides_and_a_tie_is_not_me(case):
    address, own, excluded = case
    known = OwnAddresses([Network(*entry) for entry in own], [Network(*entry) for entry in excluded])
    assert (longest(known.own, address), longest(known.excluded, address)) == (slow(own, address), slow(excluded, address))
    text = str(ipaddress.ip_address(address))
    if packed(text.encode()) == address:  # an IPv6 address may be another way to write an IPv4 one
        assert known.has(text) is (slow(own, address) > slow(excluded, address))


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_prefix_length_is_a_mask(address, length):
    length = min(length, address.max_prefixlen)
    net = ipaddress.ip_network(f"{address}/{length}", strict=False)
    found = network(str(net).encode())
    if address.version == 6 and net.network_address.ipv4_mapped:
        return
    assert (found.address, found.mask, found.length()) == (net.network_address.packed, net.netmask.packed, length)
