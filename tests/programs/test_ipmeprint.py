"""ipmeprint."""

from qmailpy.unix.ipme import own_addresses
from tests.checkout import LittleHome


def test_the_addresses_are_told(tmp_path):
    done = LittleHome(tmp_path).run("ipmeprint")
    assert (done.returncode, done.stderr) == (0, b"")
    found = done.stdout.decode().split("\n")
    assert found == ["0.0.0.0", *own_addresses().interfaces, ""]
    assert "127.0.0.1" in found
