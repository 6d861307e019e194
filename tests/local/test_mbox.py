"""Delivery to an mbox."""

import fcntl
import os
import resource
import subprocess
import sys

import pytest

from qmailpy.exits import Temporary
from qmailpy.local import mbox
from tests.home import wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WRITER = """
import os, sys
sys.path[:0] = [sys.argv[1]]
from qmailpy.local import mbox
for number in range(20):
    fd = os.open(sys.argv[3], os.O_RDONLY)
    mbox.deliver(sys.argv[2].encode(), b"From s x\\n", fd)
    os.close(fd)
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "message").write_bytes(b"Subject: x\n\nFrom here\nend")
    return tmp_path


def deliver(place, name="Mailbox"):
    fd = os.open(place / "message", os.O_RDONLY)
    try:
        mbox.deliver(os.fsencode(place / name), b"From s x\n", fd)
    finally:
        os.close(fd)


ENTRY = b"From s x\nSubject: x\n\n>From here\nend\n\n"


def test_entries_are_appended(place):
    deliver(place)
    deliver(place)
    assert (place / "Mailbox").read_bytes() == ENTRY * 2
    assert (place / "Mailbox").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_cuts_the_mbox_back(place):
    deliver(place)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(ENTRY) + 10, hard))
    try:
        with pytest.raises(Temporary, match="Unable to write .*: file too big"):
            deliver(place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (place / "Mailbox").read_bytes() == ENTRY


def test_a_folder_is_no_mbox(place):
    with pytest.raises(Temporary, match="is a directory"):
        deliver(place, "")


def test_a_lock_that_is_held_too_long_defers(place, monkeypatch):
    deliver(place)
    monkeypatch.setattr(mbox, "LOCK_PATIENCE", 0.1)
    with open(place / "Mailbox", "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Temporary, match="locked for 30 seconds"):
            deliver(place)
    assert (place / "Mailbox").read_bytes() == ENTRY


def test_many_writers_at_once(place):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, TOP, str(place / "Mailbox"), str(place / "message")]) for _ in range(5)]
    assert [writer.wait() for writer in writers] == [0] * 5
    assert (place / "Mailbox").read_bytes() == ENTRY * 100


def test_a_file_that_was_replaced_while_we_waited_for_its_lock_gets_nothing(place):
    deliver(place)
    with open(place / "Mailbox", "rb+") as old:
        fcntl.flock(old, fcntl.LOCK_EX)
        child = os.fork()
        if child == 0:
            deliver(place)
            os._exit(0)
        wait_for(lambda: waits_for_a_lock(child))
        (place / "fresh").write_bytes(b"")
        os.rename(place / "fresh", place / "Mailbox")
        before = old.read()
        fcntl.flock(old, fcntl.LOCK_UN)
        assert os.waitpid(child, 0)[1] == 0
        assert before == ENTRY
        assert old.read() == b""
    assert (place / "Mailbox").read_bytes() == ENTRY


def waits_for_a_lock(pid):
    """Whether a process hangs in flock."""
    with open("/proc/locks") as locks:
        return any("->" in line and f" {pid} " in line for line in locks)
