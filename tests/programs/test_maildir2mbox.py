"""maildir2mbox."""

import fcntl
import itertools
import os
import shutil
import subprocess

import pytest

from tests import crash
from tests.checkout import LittleHome
from tests.home import wait_for_lock

THEN, DATE = 1700000000, b"Tue Nov 14 22:13:20 2023"


class Place:
    """A Maildir, an mbox, and the program."""

    def __init__(self, path):
        self.path, self.home = path, LittleHome(path)
        self.box, self.mbox, self.fresh = path / "box", path / "mbox", path / "mbox.tmp"
        for part in ("new", "cur", "tmp"):
            (self.box / part).mkdir(parents=True)
        self.env = {"MAILDIR": str(self.box), "MAIL": str(self.mbox), "MAILTMP": str(self.fresh)}

    def put(self, name, content, when=THEN):
        path = self.box / name
        path.write_bytes(content)
        os.utime(path, (when, when))

    def left(self):
        """The names of the messages in the Maildir."""
        return sorted(f"{part}/{name}" for part in ("new", "cur") for name in os.listdir(self.box / part))

    def run(self, **env):
        return self.home.run("maildir2mbox", **{**self.env, **env})

    def moved(self, **env):
        """Run it; what is in the mbox then."""
        done = self.run(**env)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert not self.fresh.exists()
        return self.mbox.read_bytes()

    def refused(self, words, **env):
        """Run it, in vain: nothing is lost."""
        before = self.left(), self.mbox.exists() and self.mbox.read_bytes()
        done = self.run(**env)
        assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"maildir2mbox: fatal: " + os.fsencode(words) + b"\n")
        assert (self.left(), self.mbox.exists() and self.mbox.read_bytes()) == before


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_new_and_seen_messages_are_moved_oldest_first(place):
    place.mbox.write_bytes(b"From old\n\nold\n\n")
    place.put("new/2", b"Return-Path: <s@x>\n\nFrom here\n>From there\n", THEN + 1)
    place.put("cur/3:2,S", b"Subject: x\n\n")
    assert place.moved() == (b"From old\n\nold\n\nFrom XXX " + DATE + b"\nSubject: x\n\n\n"
                             b"From s@x Tue Nov 14 22:13:21 2023\nReturn-Path: <s@x>\n\n>From here\n>>From there\n\n")
    assert place.left() == []
    assert place.mbox.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("message", "entry"), [
    (b"", b"From XXX DATE\n\n"), (b"x", b"From XXX DATE\nx\n\n"), (b"From x\n", b"From XXX DATE\n>From x\n\n"),
    (b"Return-Path: <>\n", b"From MAILER-DAEMON DATE\nReturn-Path: <>\n\n"), (b"Return-Path: <a b\tc@x>\n", b"From a-b-c@x DATE\nReturn-Path: <a b\tc@x>\n\n"),
    (b"Return-Path: <a@x>", b"From XXX DATE\nReturn-Path: <a@x>\n\n"), (b"X: y\nReturn-Path: <a@x>\n", b"From XXX DATE\nX: y\nReturn-Path: <a@x>\n\n"),
    (b"\0\xff\n" * 70000, b"From XXX DATE\n" + b"\0\xff\n" * 70000 + b"\n"), (b"y" * 65536 + b"\nFrom z\n", b"From XXX DATE\n" + b"y" * 65536 + b"\n>From z\n\n"),
])
def test_an_entry(place, message, entry):
    place.put("new/1", message)
    assert place.moved() == entry.replace(b"DATE", DATE)


def test_nothing_to_move(place):
    place.put("new/.hidden", b"")
    assert place.run().returncode == 0
    assert not place.mbox.exists()


def test_what_comes_in_this_second_waits(place):
    place.put("new/1", b"", 1 << 33)
    assert place.run().returncode == 0
    assert place.left() == ["new/1"] and not place.mbox.exists()


def test_names_are_taken_from_the_maildir(place):
    place.put("new/1", b"x\n")
    assert place.run(MAIL="../mbox", MAILTMP="../mbox.tmp").returncode == 0
    assert place.mbox.read_bytes() == b"From XXX " + DATE + b"\nx\n\n"


def test_an_older_temporary_file_is_replaced(place):
    place.put("new/1", b"x\n")
    place.fresh.write_bytes(b"half a run before")
    place.fresh.chmod(0o666)
    assert place.moved() == b"From XXX " + DATE + b"\nx\n\n"
    assert place.mbox.stat().st_mode & 0o777 == 0o600


def test_the_mbox_is_locked_and_what_came_into_it_meanwhile_stays(place):
    place.put("new/1", b"x\n")
    with open(place.mbox, "ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        child = subprocess.Popen([place.home.link("maildir2mbox")], env={**place.env, "PATH": os.environ["PATH"]})
        wait_for_lock(child)
        other.write(b"delivered\n")
    assert child.wait(60) == 0
    assert place.mbox.read_bytes() == b"delivered\nFrom XXX " + DATE + b"\nx\n\n"


def test_a_second_one_that_waited_works_on_the_new_mbox(place):
    place.put("new/1", b"first\n")
    with open(place.mbox, "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        children = [subprocess.Popen([place.home.link("maildir2mbox")], env={**place.env, "PATH": os.environ["PATH"]}, stderr=subprocess.PIPE) for _ in range(2)]
        for child in children:
            wait_for_lock(child)
    for child in children:
        assert child.communicate(timeout=60) == (None, b"")
        assert child.returncode == 0
    assert place.mbox.read_bytes() == b"From XXX " + DATE + b"\nfirst\n\n"
    assert place.left() == []


def test_a_message_that_cannot_be_read(place):
    place.mbox.write_bytes(b"old\n")
    place.put("new/1", b"x\n")
    (place.box / "cur/2").mkdir()
    os.utime(place.box / "cur/2", (THEN, THEN))
    place.refused("unable to read $MAILDIR/cur/2: is a directory")


@pytest.mark.parametrize("what", ["same", "link", "fifo", "folder"])
def test_the_temporary_file_must_be_one(place, what):
    place.put("new/1", b"x\n")
    place.mbox.write_bytes(b"old\n")
    words = "there is something else than a file"
    if what == "same":
        place.fresh.hardlink_to(place.mbox)
        words = "it is the mbox itself"
    elif what == "link":
        place.fresh.symlink_to(place.mbox)
    elif what == "fifo":
        os.mkfifo(place.fresh)
    else:
        place.fresh.mkdir()
    place.refused(f"unable to create {place.fresh}: {words}")
    place.refused(f"unable to create {place.mbox}: it is the mbox itself", MAILTMP=str(place.mbox))


def test_an_mbox_that_is_none(place):
    place.put("new/1", b"x\n")
    done = place.run(MAIL=str(place.box))
    assert (done.returncode, done.stderr) == (111, f"maildir2mbox: fatal: unable to lock {place.box}: is a directory\n".encode())
    assert place.left() == ["new/1"]


def test_a_new_mbox_elsewhere_cannot_take_the_place(place):
    if os.stat("/dev/shm").st_dev == os.stat(place.path).st_dev:
        pytest.skip("needs two file systems")
    place.put("new/1", b"x\n")
    fresh = f"/dev/shm/qmailpy-test-{os.getpid()}"
    try:
        done = place.run(MAILTMP=fresh)
    finally:
        os.unlink(fresh)
    assert (done.returncode, done.stderr) == (111, f"maildir2mbox: fatal: unable to move {fresh} to {place.mbox}: cross-device link\n".encode())
    assert place.left() == ["new/1"] and place.mbox.read_bytes() == b""


def test_a_full_disk_loses_nothing(place):
    place.put("new/1", b"x" * 100000)
    place.mbox.write_bytes(b"old\n")
    command = ["sh", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$0"', place.home.link("maildir2mbox")]
    done = subprocess.run(command, env={**place.env, "PATH": os.environ["PATH"]}, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (111, f"maildir2mbox: fatal: unable to write to {place.fresh}: file too big\n".encode())
    assert place.left() == ["new/1"] and place.mbox.read_bytes() == b"old\n"


@pytest.mark.parametrize("missing", ["MAIL", "MAILTMP", "MAILDIR"])
def test_variables(place, missing):
    del place.env[missing]
    place.refused(f"{missing} not set")


def test_a_message_that_cannot_be_removed(place):
    place.put("new/1", b"x\n")
    closed_to_root = [] if os.geteuid() else ["setpriv", "--bounding-set", "-dac_override"]
    if closed_to_root and not shutil.which("setpriv"):
        pytest.skip("needs setpriv")
    (place.box / "new").chmod(0o500)
    command = [*closed_to_root, place.home.link("maildir2mbox")]
    done = subprocess.run(command, env={**place.env, "PATH": os.environ["PATH"]}, stderr=subprocess.PIPE, timeout=60)
    (place.box / "new").chmod(0o700)
    assert (done.returncode, place.mbox.read_bytes()) == (0, b"From XXX " + DATE + b"\nx\n\n")
    assert done.stderr == b"maildir2mbox: warning: $MAILDIR/new/1 will be delivered twice; unable to unlink: access denied\n"


ENTRIES = [b"From XXX %s\n%s\n\n" % (DATE, text) for text in (b"one", b"two")]


def test_whenever_it_dies_each_message_is_in_the_maildir_or_whole_in_the_mbox(tmp_path):
    place = Place(tmp_path)
    for steps in itertools.count():
        place.mbox.write_bytes(b"old\n")
        for name, text in (("new/1", b"one\n"), ("cur/2:2,", b"two\n")):
            place.put(name, text)
        died, done = crash.run(place.home, tmp_path, steps, "maildir2mbox", **place.env)
        mbox, left = place.mbox.read_bytes(), place.left()
        assert mbox in (b"old\n", b"old\n" + ENTRIES[1] + ENTRIES[0]) and (left == ["cur/2:2,", "new/1"] or mbox != b"old\n"), done
        if not died:
            assert left == []
            break
    assert steps > 5


def test_nothing_is_removed_before_the_new_mbox_is_on_the_disk(place):
    place.put("new/1", b"x\n")
    _, steps = crash.run(place.home, place.path, 1000, "maildir2mbox", **place.env)
    assert steps == ["open mbox", "sync .", "open mbox.tmp", "sync mbox.tmp", "rename mbox.tmp", "sync .", "unlink box/new/1"]
