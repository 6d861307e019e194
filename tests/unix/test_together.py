"""Syncs side by side."""

import errno
import os

import pytest

from qmailpy.exits import TENURE
from qmailpy.unix import files, together
from tests.pools import in_child


@pytest.fixture
def opened(tmp_path):
    """Files that were written to, and their folder: descriptors."""
    fds = [os.open(tmp_path / str(number), os.O_WRONLY | os.O_CREAT) for number in range(3)]
    for fd in fds:
        os.write(fd, b"x")
    fds.append(files.open_folder(str(tmp_path)))
    yield fds
    for fd in fds:
        os.close(fd)


@pytest.fixture
def able():
    """Skips where the kernel does not let us."""
    together._RINGS.clear()
    if together.ring() is None:
        pytest.skip("no io_submit here")


@pytest.fixture
def counted(monkeypatch):
    """What is synced one by one, in a process that is warm."""
    found, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: found.append(fd) or real(fd))
    monkeypatch.setattr(TENURE, "warm", True)
    monkeypatch.setattr(together, "FAST", 0)  # whatever this disk is like
    monkeypatch.setattr(together, "SLOW", 0)
    monkeypatch.setattr(together.PACE, "side_by_side", True)
    return found


def test_files_and_folders_are_synced_without_any_call_for_one(able, opened, counted):
    for _ in range(3):
        files.sync_together(opened)
    assert counted == []


class Disk:
    """In the place of the kernel: what was synced together or alone, and a clock that goes on meanwhile."""

    def __init__(self, monkeypatch):
        self.now, self.seconds, self.done = 100.0, 0.0, []
        monkeypatch.setattr(together.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(together, "sync", lambda fds: self.take("together", fds))
        monkeypatch.setattr(os, "fsync", lambda fd: self.take("alone", [fd]))

    def take(self, how, fds):
        self.now += self.seconds
        self.done.append(how)
        return len(fds)


def test_a_disk_that_takes_its_time_gets_them_together_and_one_that_does_not_alone(monkeypatch):
    disk, pace = Disk(monkeypatch), together.Pace()
    steps = []
    for disk.seconds in (0.0001, 0.005, 0.005, 0.0015, 0.0005, 0.0005, 0.002, 0.002):
        disk.done.clear()
        pace.sync([3, 4, 5])
        steps.append(disk.done[:])
    alone, side_by_side = ["alone"] * 3, ["together"]
    assert steps == [alone, alone, side_by_side, side_by_side, side_by_side, alone, alone, side_by_side]


def test_a_process_that_does_one_piece_of_work_syncs_one_by_one(opened, counted, monkeypatch):
    monkeypatch.setattr(TENURE, "warm", False)
    files.sync_together(opened)
    assert counted == opened


@pytest.mark.parametrize("trouble", [errno.ENOSYS, errno.EPERM, errno.EAGAIN])
def test_so_it_is_where_the_kernel_does_not_let_us(opened, counted, monkeypatch, trouble):
    def no(self):
        raise OSError(trouble, "no")

    together._RINGS.clear()
    monkeypatch.setattr(together.Ring, "__init__", no)
    files.sync_together(opened)
    files.sync_together(opened)
    assert counted == 2 * opened and together._RINGS == [None]
    together._RINGS.clear()


def test_so_it_is_on_a_machine_that_is_not_known(opened, counted, monkeypatch):
    together._RINGS.clear()
    monkeypatch.setattr(together, "CALLS", {})
    files.sync_together(opened)
    assert counted == opened
    together._RINGS.clear()


def test_nothing_is_called_by_a_number_that_means_another_thing_to_a_program_of_32_bits(opened, counted, monkeypatch):
    together._RINGS.clear()
    monkeypatch.setattr(together.ctypes, "sizeof", lambda kind: 4)
    monkeypatch.setattr(together.Ring, "_call", lambda self, number, *arguments: pytest.fail(f"call {number}"))
    files.sync_together(opened)
    assert counted == opened and together._RINGS == [None]
    together._RINGS.clear()


def test_what_cannot_be_submitted_is_synced_alone(able, opened, counted):
    """A pipe, which nobody can sync: the error is that of fsync."""
    source, target = os.pipe()
    try:
        with pytest.raises(OSError) as found:
            files.sync_together([opened[0], target, opened[1]])
    finally:
        os.close(source)
        os.close(target)
    assert found.value.errno == errno.EINVAL and counted == [target]


def test_a_closed_descriptor_is_an_error(able):
    with pytest.raises(OSError) as found:
        together.sync([1023])
    assert found.value.errno == errno.EBADF


def test_more_than_there_is_room_for(able, opened, counted):
    files.sync_together(opened * 3)
    assert len(counted) == 4


def test_one_that_fails_is_told_when_all_are_done(able, opened, monkeypatch):
    """The kernel's answers are ours here: what it says of a disk that is broken cannot be had otherwise."""
    ring = together.ring()
    real = ring._call

    def broken(number, *arguments):
        done = real(number, *arguments)
        if number == ring._wait:
            together.RESULT.pack_into(ring._results, 0, 0, 0, -errno.EIO, 0)
        return done

    monkeypatch.setattr(together.Ring, "_call", lambda self, number, *arguments: broken(number, *arguments))
    with pytest.raises(OSError) as found:
        together.sync(opened)
    assert found.value.errno == errno.EIO


def test_a_signal_in_between_is_handled_and_the_wait_goes_on(able, opened, monkeypatch):
    ring, calls = together.ring(), []
    real = together.Ring._call

    def interrupted(self, number, *arguments):
        calls.append(number)
        if number == ring._wait and calls.count(number) == 1:
            raise InterruptedError
        return real(self, number, *arguments)

    monkeypatch.setattr(together.Ring, "_call", interrupted)
    assert together.sync(opened) == 4 and calls.count(ring._wait) == 2


def test_who_leaves_in_the_middle_does_not_use_what_comes_later(able, opened, monkeypatch):
    def leave(self, count):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(together.Ring, "end", leave)
        with pytest.raises(KeyboardInterrupt):
            together.sync(opened)
    assert together._RINGS == []
    assert together.sync(opened) == 4


def test_a_child_has_its_own(able, opened):
    together.sync(opened)
    assert in_child(lambda: (together.sync(opened), together._RINGS[0].pid == os.getpid())) == (4, True)
