"""Delivery to a Maildir."""

import errno
import os
import resource

import pytest

from qmailpy.exits import Temporary
from qmailpy.local import maildir


@pytest.fixture
def box(tmp_path):
    for part in ("tmp", "new", "cur"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    (tmp_path / "message").write_bytes(b"Subject: x\n\nbody")
    return tmp_path


def deliver(box, head=b"head\n"):
    fd = os.open(box / "message", os.O_RDONLY)
    try:
        maildir.deliver(os.fsencode(box / "Maildir") + b"/", head, fd)
    finally:
        os.close(fd)


def files(box):
    return [path for part in ("tmp", "new", "cur") for path in (box / "Maildir" / part).iterdir()]


def test_a_delivery(box):
    deliver(box)
    [path] = files(box)
    assert path.parent.name == "new"
    assert path.read_bytes() == b"head\nSubject: x\n\nbody"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.name.split(".")[0].isdigit()
    assert str(os.getpid()) in path.name.split(".")[1]


def test_names_never_collide_in_a_frozen_second(box, monkeypatch):
    class Clock:
        now = 1_000_000_000_000_000_000

        @classmethod
        def time_ns(cls):
            cls.now += 1000
            return cls.now

    monkeypatch.setattr(maildir, "time", Clock)
    for _ in range(100):
        deliver(box)
    assert len(files(box)) == 100


def test_a_name_that_is_taken_is_not_overwritten(box, monkeypatch):
    class Frozen:
        @staticmethod
        def time_ns():
            return 1_000_000_000_000_000_000

    monkeypatch.setattr(maildir, "time", Frozen)
    deliver(box)
    with pytest.raises(Temporary):
        deliver(box)
    assert len(files(box)) == 1


@pytest.mark.parametrize(("missing", "words"), [("tmp", "Temporary error"), ("new", "Temporary error"), ("", "Unable to chdir")])
def test_missing_folders_leave_nothing(box, missing, words):
    if missing:
        os.rmdir(box / "Maildir" / missing)
    else:
        os.rename(box / "Maildir", box / "away")
    with pytest.raises(Temporary, match=words):
        deliver(box)
    if missing == "new":
        assert list((box / "Maildir/tmp").iterdir()) == []


def test_a_full_disk_leaves_nothing(box):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
    try:
        with pytest.raises(Temporary, match="Temporary error"):
            deliver(box)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(box) == []


def test_host_names_stand_no_slash_or_colon():
    assert not set(maildir.host_name()) & set("/:")


def test_a_name_in_tmp_that_cannot_be_removed_delivers_nothing_twice(box, monkeypatch):
    def unlink(path, *words, **named):
        raise PermissionError(13, "no")

    monkeypatch.setattr(maildir.os, "unlink", unlink)
    deliver(box)
    monkeypatch.undo()
    assert sorted(path.parent.name for path in files(box)) == ["new", "tmp"]


@pytest.mark.parametrize("where", ["write_all", "sync_file", "os.open", "os.link"])
@pytest.mark.parametrize("number", [errno.EDQUOT, errno.ENOSPC, errno.EROFS])
def test_a_quota_that_is_used_up(box, monkeypatch, where, number):
    """It is noticed when something is written, synced, made or linked; a file system may take its time."""
    def short(*words, **how):
        raise OSError(number, "")

    opened = os.open
    new = {"write_all": short, "sync_file": short, "os.link": short, "os.open": lambda path, flags, *more, **how: (short if flags & os.O_CREAT else opened)(path, flags, *more, **how)}
    monkeypatch.setattr(f"qmailpy.local.maildir.{where}", new[where])
    with pytest.raises(Temporary, match="Temporary error on maildir delivery"):
        deliver(box)
    assert files(box) == []
