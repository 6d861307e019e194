"""Files: absent ones, whole replacements, locks, the trigger."""

import os
import subprocess
import sys

import pytest

from qmailpy.unix import files
from qmailpy.unix.files import Disk, contents, lock, lock_holder, pull_trigger, remove, replace, sync_file, sync_folder


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


def test_who_has_taken_a_lock(tmp_path):
    with open(tmp_path / "lock", "w") as held:
        assert lock_holder(tmp_path / "lock") is None
        assert lock(held.fileno(), wait=False)
        assert lock_holder(tmp_path / "lock") == os.getpid()
    assert lock_holder(tmp_path / "lock") is None
    assert lock_holder(tmp_path / "none") is None


@pytest.fixture
def disk(tmp_path):
    found = Disk(str(tmp_path), few=2)
    yield found
    found.close()


def synced(monkeypatch):
    """Which files, and "all", are synced."""
    found, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: found.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))) or real(fd))
    monkeypatch.setattr(files, "sync_file_system", lambda fd: found.append("all") or True)
    return found


def test_few_files_are_synced_one_by_one_many_together(disk, tmp_path, monkeypatch):
    paths = [str(tmp_path / name) for name in "abc"]
    for path in paths:
        open(path, "w").close()
    found = synced(monkeypatch)
    assert disk.sync(paths[:2]) == set()
    assert sorted(found) == ["a", "b"]
    found.clear()
    assert disk.sync(paths) == set()
    assert found == ["all"]
    found.clear()
    monkeypatch.setattr(files, "tells_errors", lambda: False)
    assert disk.sync([*paths, str(tmp_path)]) == set()
    assert sorted(found) == ["a", "b", "c", tmp_path.name]


def test_what_cannot_be_synced_is_told(disk, tmp_path, monkeypatch):
    (tmp_path / "a").touch()
    assert disk.sync([str(tmp_path / "a"), str(tmp_path / "none")]) == {str(tmp_path / "none")}
    monkeypatch.setattr(files, "sync_file_system", lambda fd: False)
    assert disk.sync({"a", "b", "c"}) == {"a", "b", "c"}


def test_the_sync_of_everything(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    assert files.sync_file_system(fd)
    os.close(fd)
    assert not files.sync_file_system(fd)


@pytest.mark.parametrize(("release", "tells"), [("5.7.9", False), ("5.8.0-rc1", True), ("6.18.44-fc-v782", True), ("4.19.0-21-amd64", False), ("5.10+", True)])
def test_kernels_whose_syncfs_tells_errors(monkeypatch, release, tells):
    class Name:
        pass

    Name.release = release
    monkeypatch.setattr(os, "uname", lambda: Name)
    assert files.tells_errors() == tells
