"""Files: absent ones, whole replacements, locks, the trigger."""

import os
import subprocess
import sys

import pytest

from qmailpy.unix.files import contents, lock, pull_trigger, remove, replace, sync_file, sync_folder


def test_contents(tmp_path):
    (tmp_path / "x").write_bytes(b"a" * 100000)
    assert contents(str(tmp_path / "x")) == b"a" * 100000
    assert contents(os.fsencode(tmp_path / "x")) == b"a" * 100000
    assert contents(str(tmp_path / "none")) is None
    with pytest.raises(IsADirectoryError):
        contents(str(tmp_path))
    with pytest.raises(NotADirectoryError):
        contents(str(tmp_path / "x/y"))


def test_contents_of_a_fifo_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert contents(str(tmp_path / "fifo")) == b""


def test_replacing(tmp_path):
    path = str(tmp_path / "x")
    old = os.umask(0o077)
    try:
        replace(path, b"one")
        assert os.stat(path).st_mode & 0o777 == 0o644
        replace(path, b"two", 0o600)
    finally:
        os.umask(old)
    assert contents(path) == b"two" and os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["x"]


def test_readers_of_the_old_file_keep_it(tmp_path):
    path = str(tmp_path / "x")
    replace(path, b"one")
    with open(path, "rb") as reader:
        replace(path, b"two")
        assert reader.read() == b"one"


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_that_somebody_has_put_in_the_way_is_not_written_to(tmp_path, link):
    (tmp_path / "other").write_text("other")
    link(tmp_path / "other", tmp_path / "file.tmp")
    replace(str(tmp_path / "file"), b"new")
    assert ((tmp_path / "other").read_text(), (tmp_path / "file").read_text()) == ("other", "new")


def test_a_replacement_that_fails_leaves_the_old(tmp_path):
    path = str(tmp_path / "x")
    replace(path, b"one")
    os.mkdir(path + ".tmp")
    with pytest.raises(OSError):
        replace(path, b"two")
    assert contents(path) == b"one"


def test_syncing(tmp_path):
    with open(tmp_path / "x", "wb") as file:
        sync_file(file.fileno())
    sync_folder(str(tmp_path))
    with pytest.raises(OSError):
        sync_folder(str(tmp_path / "none"))
    with pytest.raises(OSError):
        sync_folder(str(tmp_path / "x"))


def test_removing(tmp_path):
    (tmp_path / "x").write_text("")
    assert remove(str(tmp_path / "x")) is True
    assert remove(str(tmp_path / "x")) is False
    with pytest.raises(OSError):
        remove(str(tmp_path))


def test_locks_keep_other_processes_out(tmp_path):
    path = tmp_path / "x"
    path.write_text("")
    code = "import fcntl,sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX); print('locked', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        with open(path) as file:
            assert lock(file.fileno(), wait=False) is False
            other.stdin.close()
            assert lock(file.fileno(), wait=True) is True
            assert lock(file.fileno(), wait=False) is True


def test_the_trigger(tmp_path):
    path = str(tmp_path / "trigger")
    pull_trigger(path)  # none there: nobody is told
    os.mkfifo(path)
    pull_trigger(path)  # nobody listens
    listener = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        pull_trigger(path)
        assert os.read(listener, 10) == b"\0"
    finally:
        os.close(listener)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_file_for_somebody_else(tmp_path):
    path = tmp_path / "key"
    replace(str(path), b"x", 0o640, (1234, 5678))
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (1234, 5678, 0o640)
