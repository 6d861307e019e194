"""qmail-tcpto."""

import fcntl
import re
import subprocess
import time

import pytest

from qmailpy.programs.qmail_tcpto import line
from qmailpy.queue.tcpto import SIZE, Record
from tests.checkout import LittleHome
from tests.home import wait_for_lock


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue/lock").mkdir(parents=True)
    found.table = tmp_path / "queue/lock/tcpto"
    found.table.write_bytes(bytes(SIZE))
    return found


@pytest.mark.parametrize(("record", "words"), [
    (Record(bytes([10, 1, 2, 255]), 2, 900), b"10.1.2.255 timed out 100 seconds ago; # recent timeouts: 2\n"),
    (Record(bytes(4), 10, 2000), b"0.0.0.0 timed out 0 seconds ago; # recent timeouts: 10\n"),
])
def test_a_line(record, words):
    assert line(record, 1000) == words


def test_hosts_with_timeouts_are_listed(home):
    assert home.run("qmail-tcpto").stdout == b""
    now = int(time.time())
    records = [Record(bytes([10, 1, 2, 3]), 2, now - 100), Record(bytes([10, 1, 2, 4]), 0, now), Record(bytes([192, 0, 2, 1]), 1, now - 7300)]
    content = b"".join(record.bytes() for record in records)
    home.table.write_bytes(content + bytes(SIZE - len(content)))
    done = home.run("qmail-tcpto")
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rb"10\.1\.2\.3 timed out 1\d\d seconds ago; # recent timeouts: 2\n192\.0\.2\.1 timed out 73\d\d seconds ago; # recent timeouts: 1\n", done.stdout)
    assert home.table.read_bytes()[:len(content)] == content


def test_it_waits_for_the_lock(home):
    with open(home.table, "rb+") as table:
        fcntl.flock(table, fcntl.LOCK_EX)
        child = subprocess.Popen([home.link("qmail-tcpto")], stdout=subprocess.PIPE)
        wait_for_lock(child)
        table.write(Record(bytes([10, 0, 0, 1]), 1, 0).bytes())
        table.flush()
        fcntl.flock(table, fcntl.LOCK_UN)
    assert child.communicate(timeout=60)[0].startswith(b"10.0.0.1 timed out ")


def test_no_table(home):
    home.table.unlink()
    done = home.run("qmail-tcpto")
    assert (done.returncode, done.stdout, done.stderr) == (111, b"fatal: unable to open tcpto: file does not exist\n", b"")
