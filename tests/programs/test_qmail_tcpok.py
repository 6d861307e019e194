"""qmail-tcpok."""

import fcntl
import os
import subprocess

import pytest

from qmailpy.queue.tcpto import SIZE, Record
from tests.checkout import LittleHome
from tests.home import wait_for_lock

HOST = Record(bytes([10, 0, 0, 1]), 2, 5).bytes()


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue/lock").mkdir(parents=True)
    found.table = tmp_path / "queue/lock/tcpto"
    found.table.write_bytes(HOST * (SIZE // len(HOST)))
    return found


def test_the_table_is_emptied_in_its_place(home):
    before = home.table.stat().st_ino
    done = home.run("qmail-tcpok")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert home.table.read_bytes() == bytes(SIZE)
    assert home.table.stat().st_ino == before


def test_it_waits_for_the_lock(home):
    with open(home.table, "rb+") as table:
        fcntl.flock(table, fcntl.LOCK_EX)
        child = subprocess.Popen([home.link("qmail-tcpok")])
        wait_for_lock(child)
        assert home.table.read_bytes()[:len(HOST)] == HOST
        fcntl.flock(table, fcntl.LOCK_UN)
    assert child.wait(60) == 0
    assert home.table.read_bytes() == bytes(SIZE)


def test_no_table_is_made(home):
    home.table.unlink()
    done = home.run("qmail-tcpok")
    assert (done.returncode, done.stderr) == (111, b"qmail-tcpok: fatal: unable to write %s: file does not exist\n" % os.fsencode(home.table))
    assert not home.table.exists()
