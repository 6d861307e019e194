"""Own addresses."""

import pytest

from qmailpy.unix.ipme import OwnAddresses, canonical, own_addresses


@pytest.mark.parametrize(("address", "known"), [
    ("127.0.0.1", True), ("127.9.9.9", False), ("0.0.0.0", True), ("::", True), ("192.0.2.1", True), ("192.0.2.2", False), ("::ffff:192.0.2.1", True),
    ("2001:DB8::1", True), ("2001:db8:0:0:0:0:0:1", True), ("2001:db8::2", False), ("nonsense", False), ("", False), ("1.2.3.4\0", False),
])
def test_whether_an_address_is_ours(address, known):
    assert OwnAddresses(["127.0.0.1", "192.0.2.1", "2001:db8::1"]).has(address) == known


def test_the_kernel_knows_of_loopback():
    assert "127.0.0.1" in own_addresses().interfaces


@pytest.mark.parametrize(("address", "form"), [("::FFFF:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("1.2.3", None), ("x:y", None)])
def test_one_notation(address, form):
    assert canonical(address) == form
