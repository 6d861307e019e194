"""Descriptors: whole writes, limits, time."""

import os
import threading

import pytest

from qmailpy.unix.fds import BLOCK, TimedOut, close_quietly, copy, identity, may_complain, read_all, wait_readable, wait_writable, write_all, write_at_once, write_in_time


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    close_quietly(*ends)


def test_a_write_larger_than_a_pipe_is_whole(pipe):
    data = os.urandom(BLOCK * 5 + 3)
    found = []
    reader = threading.Thread(target=lambda: found.append(read_all(pipe[0])))
    reader.start()
    write_all(pipe[1], data)
    os.close(pipe[1])
    reader.join()
    assert found == [data]


def test_reading_stops_at_the_limit(pipe):
    os.write(pipe[1], b"abcdef")
    assert read_all(pipe[0], 4) == b"abcd"
    os.close(pipe[1])
    assert read_all(pipe[0], 4) == b"ef"
    assert read_all(pipe[0]) == b""


def test_a_broken_pipe_is_told(pipe):
    os.close(pipe[0])
    with pytest.raises(BrokenPipeError):
        write_all(pipe[1], b"x")


def test_copying(tmp_path):
    data = os.urandom(BLOCK * 2 + 1)
    (tmp_path / "from").write_bytes(data)
    source, target = os.open(tmp_path / "from", os.O_RDONLY), os.open(tmp_path / "to", os.O_WRONLY | os.O_CREAT)
    assert copy(source, target) == len(data)
    close_quietly(source, target)
    assert (tmp_path / "to").read_bytes() == data


def test_waiting_to_read(pipe):
    with pytest.raises(TimedOut):
        wait_readable(pipe[0], 0)
    os.write(pipe[1], b"x")
    wait_readable(pipe[0], 10)
    os.read(pipe[0], 1)
    os.close(pipe[1])
    wait_readable(pipe[0], 10)  # its end can be read, too


def test_waiting_to_write(pipe):
    wait_writable(pipe[1], 10)
    os.set_blocking(pipe[1], False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(pipe[1], b"x" * BLOCK)
    with pytest.raises(TimedOut):
        wait_writable(pipe[1], 0)


def test_time_is_up_is_an_error_of_the_system():
    assert issubclass(TimedOut, OSError)


def test_closing_twice_is_no_error(pipe):
    close_quietly(pipe[0], pipe[0], 99999)


@pytest.mark.parametrize(("fds", "may"), [
    ((), True), ((0,), False), ((1,), False), ((0, 1), False),
])
def test_nothing_is_said_where_standard_error_is_the_clients(pipe, fds, may):
    kept = {fd: os.dup(fd) for fd in (*fds, 2)}
    try:
        for fd in kept:
            os.dup2(pipe[1], fd)
        assert may_complain() == may
        os.close(2)
        assert not may_complain()
    finally:
        for fd, copied in kept.items():
            os.dup2(copied, fd)
            os.close(copied)


def test_a_closed_descriptor_is_no_file(pipe):
    assert identity(pipe[0]) == identity(pipe[0])
    assert identity(9999) is None


def test_a_write_in_time():
    source, target = os.pipe()
    write_in_time(target, b"x" * 5000, 5)
    assert os.read(source, 6000) == b"x" * 5000
    with pytest.raises(TimedOut):
        write_in_time(target, b"x" * 100000, 0.05)
    os.close(source)
    with pytest.raises(BrokenPipeError):
        write_in_time(target, b"x", 5)
    os.close(target)


def test_what_is_not_written_at_once_is_written_in_time(pipe):
    data = os.urandom(200000)
    found = []
    reader = threading.Thread(target=lambda: found.append(read_all(pipe[0], len(data))))
    assert 0 < write_at_once(pipe[1], memoryview(data)) < len(data)
    assert write_at_once(pipe[1], memoryview(data)) == 0
    assert os.get_blocking(pipe[1])
    os.read(pipe[0], BLOCK)
    reader.start()
    write_in_time(pipe[1], data, 20)
    reader.join()
    assert found == [data]


def test_a_file_is_written_though_it_cannot_be_asked_to_do_so_at_once(tmp_path):
    with (tmp_path / "file").open("wb") as out:
        write_in_time(out.fileno(), b"x" * 10000, 5)
    assert (tmp_path / "file").read_bytes() == b"x" * 10000


@pytest.mark.parametrize("seconds", [10**9, 10**18])
def test_any_patience_is_one(pipe, seconds):
    wait_writable(pipe[1], seconds)
    os.write(pipe[1], b"x")
    wait_readable(pipe[0], seconds)
