"""Descriptors: whole writes, limits, time."""

import os
import sys
import threading

import pytest

from qmailpy.unix.fds import BLOCK, TimedOut, close_quietly, copy, read_all, wait_readable, wait_writable, write_all
from tests.checkout import TOP


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


@pytest.mark.parametrize("seconds", [10**9, 10**18])
def test_any_patience_is_one(pipe, seconds):
    wait_writable(pipe[1], seconds)
    os.write(pipe[1], b"x")
    wait_readable(pipe[0], seconds)


@pytest.mark.parametrize(("client", "errors", "may"), [
    ((0, 1), 2, True), ((0, 1), 0, False), ((0, 1), 1, False), ((0, 0), 0, False), ((0, 0), 1, True), ((0, 1), None, False),
])
def test_complaints_are_kept_out_of_the_dialogue(tmp_path, client, errors, may):
    """Descriptors 0, 1 and 2 of a process, by the numbers of three files; None: closed."""
    code = f"import sys; sys.path[:0] = [{str(TOP)!r}]; from qmailpy.unix.fds import may_complain; import os; os._exit(may_complain())"
    files = [os.open(tmp_path / str(number), os.O_RDWR | os.O_CREAT) for number in range(3)]
    actions = [(os.POSIX_SPAWN_DUP2, files[number], fd) for fd, number in enumerate((*client, errors)) if number is not None]
    child = os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", code], {}, file_actions=[*actions, *[(os.POSIX_SPAWN_CLOSE, 2)] * (errors is None)])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == may
    close_quietly(*files)
