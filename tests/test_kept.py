"""What a warm process keeps of files: the same until the file changes, nothing in a program that was executed."""

import os

import pytest
from qmailpy import kept
from qmailpy.exits import TENURE
from qmailpy.kept import MOST, Kept, state

OLD = 1_000_000_000


@pytest.fixture
def warm(monkeypatch):
    monkeypatch.setattr(TENURE, "warm", True)
    # A file's ctime cannot be set: so it is the clock that is late.
    monkeypatch.setattr(kept.time, "time", lambda now=kept.time.time: now() + 2 * kept.SETTLED)


class Maker:
    """Makes a new thing at each call."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return [self.calls]


def test_what_was_made_is_used_again(warm, tmp_path):
    path, make, things = tmp_path / "me", Maker(), Kept()
    path.write_bytes(b"one")
    assert things.of(str(path), make) is things.of(str(path), make)
    assert make.calls == 1


def change_content(path):
    path.write_bytes(b"another")


def change_in_place(path):
    times = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # only the ctime tells


def change_file(path):
    (path.parent / "other").write_bytes(b"one")
    os.rename(path.parent / "other", path)


@pytest.mark.parametrize("change", [change_content, change_in_place, change_file, lambda path: path.unlink()])
def test_a_change_is_seen(warm, tmp_path, change):
    path, make, things = tmp_path / "me", Maker(), Kept()
    path.write_bytes(b"one")
    things.of(str(path), make)
    change(path)
    assert things.of(str(path), make) == [2]


def test_a_file_that_has_just_changed_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(TENURE, "warm", True)
    path, make, things = tmp_path / "me", Maker(), Kept()
    path.write_bytes(b"one")
    assert state((str(path),)) is None
    assert [things.of(str(path), make) for _ in range(2)] == [[1], [2]]


def test_a_clock_that_was_put_back_keeps_nothing(warm, tmp_path, monkeypatch):
    path = tmp_path / "me"
    path.write_bytes(b"one")
    monkeypatch.setattr(kept.time, "time", lambda: OLD)
    assert state((str(path),)) is None


def test_a_program_that_was_executed_keeps_nothing(tmp_path):
    path, make, things = tmp_path / "me", Maker(), Kept()
    path.write_bytes(b"one")
    assert [things.of(str(path), make), things.once("key", make)] == [[1], [2]]


def test_a_file_that_is_not_there_has_no_state(warm, tmp_path):
    assert state((str(tmp_path / "none"),)) is None
    assert state(()) == ()


def test_trouble_is_not_kept(warm):
    things = Kept()

    def fail():
        raise OSError

    with pytest.raises(OSError):
        things.once("key", fail)
    assert things.once("key", Maker()) == [1]


def test_it_does_not_grow_without_end(warm):
    things = Kept()
    for number in range(3 * MOST):
        things.once(number, Maker())
    assert len(things._made) <= MOST
