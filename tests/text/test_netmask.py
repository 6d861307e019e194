"""Networks: the table of the manual row by row, and the notations that are none."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.netmask import IPV4, IPV6, Network, address, network

ROWS = [
    ("10.10.10/255.255.0.0", "255.255.0.0", "10.10.0.0", "10.10.255.255"),
    ("10.195.4", "255.255.252.0", "10.195.4.0", "10.195.7.255"),
    ("10.195.8", "255.255.248.0", "10.195.8.0", "10.195.15.255"),
    ("10.98.8.3", "255.255.255.255", "10.98.8.3", "10.98.8.3"),
    ("10.98.8.4", "255.255.255.252", "10.98.8.4", "10.98.8.7"),
    ("10.98.8.2", "255.255.255.254", "10.98.8.2", "10.98.8.3"),
    ("192.0.2.128", "255.255.255.128", "192.0.2.128", "192.0.2.255"),
    ("192.0.2.64", "255.255.255.192", "192.0.2.64", "192.0.2.127"),
    ("192.168.1", "255.255.255.0", "192.168.1.0", "192.168.1.255"),
    ("10.10.10", "255.255.254.0", "10.10.10.0", "10.10.11.255"),
    ("192.0.2.0", "255.255.254.0", "192.0.2.0", "192.0.3.255"),
    ("172.16", "255.240.0.0", "172.16.0.0", "172.31.255.255"),
    ("127", "255.0.0.0", "127.0.0.0", "127.255.255.255"),
    ("10", "254.0.0.0", "10.0.0.0", "11.255.255.255"),
    ("10/255.0.0.0", "255.0.0.0", "10.0.0.0", "10.255.255.255"),
    ("192.168.0", "255.248.0.0", "192.168.0.0", "192.175.255.255"),
    ("0.0.0.0", "0.0.0.0", "0.0.0.0", "255.255.255.255"),
    ("0", "0.0.0.0", "0.0.0.0", "255.255.255.255"),
    ("10.1.2.3/255.0.255.0", "255.0.255.0", "10.0.2.0", "10.255.2.255"),
    ("10.0.0.0/8", "255.0.0.0", "10.0.0.0", "10.255.255.255"),
    ("203.0.113.77/28", "255.255.255.240", "203.0.113.64", "203.0.113.79"),
    ("1.2.3.4/0", "0.0.0.0", "0.0.0.0", "255.255.255.255"),
    ("1.2.3.4/32", "255.255.255.255", "1.2.3.4", "1.2.3.4"),
    ("1.2.3.4/0.0.0.0", "0.0.0.0", "0.0.0.0", "255.255.255.255"),
    ("::ffff:10.0.0.4", "255.255.255.255", "10.0.0.4", "10.0.0.4"),
]


@pytest.mark.parametrize(("written", "mask", "first", "last"), ROWS, ids=[row[0] for row in ROWS])
def test_what_a_notation_means(written, mask, first, last):
    found = network(written.encode())
    assert [str(ipaddress.IPv4Address(number)) for number in (found.mask, found.number, found.last)] == [mask, first, last]
    assert found.bits == IPV4
    assert found.masked == ("/" in written)
    for text in (first, last):
        assert found.contains(address(text.encode()))


@pytest.mark.parametrize(("written", "inside", "outside"), [
    ("10.1.2.3/255.0.255.0", ["10.9.2.200", "10.0.2.0"], ["10.9.3.200", "11.9.2.200"]),
    ("0.0.0.0", ["255.255.255.255", "::ffff:1.2.3.4"], ["2001:db8::1", "::1"]),
    ("2001:db8::/32", ["2001:db8::", "2001:DB8:ffff::1%eth0"], ["2001:db9::", "32.1.13.184", "::ffff:32.1.13.184"]),
    ("2001:db8::1", ["2001:db8:0:0:0:0:0:1"], ["2001:db8::2"]),
    ("::/0", ["::1", "2001:db8::1"], ["192.0.2.1"]),
    ("192.0.2.1", ["::ffff:192.0.2.1", "::FFFF:c000:201"], ["::192.0.2.1", "unknown", ""]),
])
def test_who_is_inside(written, inside, outside):
    found = network(written.encode())
    assert [text for text in inside + outside if found.contains(address(text.encode()))] == inside


@pytest.mark.parametrize("written", [
    "10.1.2.300", "host", "10..1", "", ".", "10.", ".10", "10.1.2.44.0", "10.1.2.44/33", "10.1.2.44/255.255.255.256", "10.1.2.44/", "10.1.2.44/255.255", "/8", "10/-1",
    "10.1.2.44/8/8", "+1.2.3.4", "1_0.1.1.1", "0010.1.1.1", "2001:db8::/129", "2001:db8::/255.0.0.0", "2001:db8::/", "1::2::3", ":::", "1:2:3", "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8:9", "12345::", "g::", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", "1:", ":1", "::/+8", "::ffff:10.0.0.0/8", "::ffff:10.0.0.0/104",
])
def test_what_is_no_network(written):
    assert network(written.encode()) is None


@given(st.ip_addresses())
def test_addresses_are_read_as_the_standard_library_reads_them(one):
    plain = (one.version == 6 and one.ipv4_mapped) or one
    for text in (str(one), one.exploded):
        assert address(text.encode()) == (IPV6 if plain.version == 6 else IPV4, int(plain))


@given(st.ip_addresses(), st.data())
def test_networks_are_those_of_the_standard_library(one, data):
    length = data.draw(st.integers(0, one.max_prefixlen))
    wanted = ipaddress.ip_network((one, length), strict=False)
    found = network(f"{one}/{length}".encode())
    if one.version == 4 or not one.ipv4_mapped:
        assert (found.number, found.last) == (int(wanted[0]), int(wanted[-1]))


@given(st.binary(max_size=40) | st.text("0123456789abcdef.:/%", max_size=40).map(str.encode))
def test_nothing_breaks_it(text):
    found = network(text)
    assert found is None or isinstance(found, Network)
    if found:
        assert found.number <= found.last < 1 << found.bits
        assert found.contains((found.bits, found.number))
    assert address(text) is None or address(text)[1] >= 0
