"""IP addresses in text."""

import ipaddress
import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qmailpy.text.ip import packed


@pytest.mark.parametrize(("text", "found"), [
    (b"192.0.2.1", b"\xc0\0\2\1"), (b"0.0.0.0", bytes(4)), (b"010.001.000.255", b"\x0a\1\0\xff"), (b"::ffff:192.0.2.1", b"\xc0\0\2\1"),
    (b"::FFFF:c000:0201", b"\xc0\0\2\1"), (b"::", bytes(16)), (b"::1", bytes(15) + b"\1"), (b"2001:DB8::a:1", b"\x20\1\x0d\xb8" + bytes(8) + b"\0\x0a\0\1"),
    (b"1:2:3:4:5:6:7:8", b"".join(bytes((0, n)) for n in range(1, 9))), (b"64:ff9b::192.0.2.1", b"\0\x64\xff\x9b" + bytes(8) + b"\xc0\0\2\1"),
])
def test_addresses(text, found):
    assert packed(text) == found


@pytest.mark.parametrize("text", [
    b"", b"host", b"1.2.3", b"1.2.3.4.5", b"1.2.3.256", b"1..3.4", b" 1.2.3.4", b"1.2.3.4 ", b"1.2.3.4\0", b"1.2.3.4\n", b"+1.2.3.4", b"1.2.3.0x4", b"\xb2.1.1.1", b":", b":::",
    b"1::2::3", b"1:2:3:4:5:6:7", b"1:2:3:4:5:6:7:8:9", b"1:2:3:4::5:6:7:8", b"12345::", b"g::", b"::1.2.3.4:5", b"1.2.3.4::", b"fe80::1%eth0", b"::-1", b"::1_1", b"::1 ",
])
def test_what_is_no_address(text):
    assert packed(text) is None


@given(st.ip_addresses())
@example(ipaddress.ip_address("::ffff:1.2.3.4"))
def test_every_address_is_read_as_it_is_written(address):
    short, long = packed(str(address).encode()), packed(address.exploded.upper().encode())
    mapped = address.version == 6 and address.ipv4_mapped
    assert short == long == (mapped.packed if mapped else address.packed)


@given(st.text("0123456789abcdefF:.", max_size=24))
def test_what_the_c_library_takes_for_an_address_is_one_and_nothing_else(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        expected = socket.inet_pton(family, text)
    except OSError:
        expected = None
    found = packed(text.encode())
    if expected is None:
        # Leading zeros of numbers between dots: the C library refuses them.
        assert found is None or any(part[:1] == "0" and len(part) > 1 for part in text.rpartition(":")[2].split("."))
    else:
        assert found == (expected[12:] if expected[:12] == bytes(10) + b"\xff\xff" else expected)
