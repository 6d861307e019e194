"""Own addresses."""

import os
import pathlib
import shutil
import subprocess
import sys

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


def test_an_interface_that_is_down_does_not_count():
    """In a network of its own, where nothing is up."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("ip")) or subprocess.run(["unshare", "-n", "true"]).returncode:
        pytest.skip("needs root, unshare and ip")
    ask = f"{sys.executable} -c 'from qmailpy.unix.ipme import own_addresses; print(own_addresses().interfaces)'"
    script = f"ip address add 127.0.0.1/8 dev lo && {ask} && ip link set lo up && {ask}"
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    done = subprocess.run(["unshare", "-n", "sh", "-c", script], cwd=top, capture_output=True, text=True, timeout=60)
    down, up = done.stdout.splitlines()
    assert down == "[]" and "127.0.0.1" in up


@pytest.mark.parametrize(("address", "form"), [("::FFFF:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("1.2.3", None), ("x:y", None)])
def test_one_notation(address, form):
    assert canonical(address) == form
