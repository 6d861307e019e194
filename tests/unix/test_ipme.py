"""Own addresses."""

import subprocess
import sys

import pytest

from qmailpy.unix.ipme import canonical, interfaces, own_addresses, written
from tests.checkout import TOP

ASK = "import sys; sys.path[:0] = [sys.argv[1]]; from qmailpy.unix.ipme import interfaces; print(*interfaces())"


def test_the_kernel_knows_of_loopback():
    assert "127.0.0.1" in interfaces()


@pytest.mark.parametrize(("address", "known"), [
    ("127.0.0.1", True), ("127.9.9.9", True), ("0.0.0.0", True), ("::", True), ("::1", True), ("203.0.113.9", True), ("203.0.113.1", False), ("::ffff:203.0.113.9", True),
    ("2001:db8:ffff::9", False), ("nonsense", False),
])
def test_interfaces_what_is_built_in_and_the_two_lists(address, known):
    assert own_addresses([b"203.0.113.0/24", b"junk"], [b"203.0.113.1"]).has(address) is known


def test_no_lists():
    known = own_addresses(None, None)
    shown = [written(found.address) for found in known.own]
    assert shown[:4] == ["127.0.0.0", "0.0.0.0", "::1", "::"]
    assert len(shown) == len(set(shown))
    assert set(interfaces()) <= set(shown)
    assert known.excluded == ()


@pytest.mark.parametrize("up", [False, True])
def test_an_interface_that_is_down_has_no_say(up):
    prepare = "ip addr add 192.0.2.5/32 dev lo" + (" && ip link set lo up" if up else "")
    if subprocess.run(["sh", "-c", f"unshare -n sh -c '{prepare}'"], capture_output=True).returncode:
        pytest.skip("needs root, unshare(1) and ip(8): a network of its own")
    script = f"{prepare}; exec '{sys.executable}' -I -S -c '{ASK}' '{TOP}'"
    done = subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, check=True)
    assert ("192.0.2.5" in done.stdout.split()) is up


@pytest.mark.parametrize(("address", "form"), [
    ("::FFFF:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("192.0.2.1", "192.0.2.1"), ("1.2.3", None), ("x:y", None), ("1.2.3.4\0", None)])
def test_one_notation(address, form):
    assert canonical(address) == form
