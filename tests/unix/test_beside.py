"""Work beside a loop."""

import os
import threading

import pytest

from qmailpy.unix import beside
from qmailpy.unix.fds import wait_readable


@pytest.fixture
def work():
    found = beside.Beside()
    yield found
    found.close()


def test_results_are_taken_in_the_loop(work):
    gate, heard = threading.Event(), []
    work.do(lambda: gate.wait(10) and threading.get_ident(), heard.append)
    work.take()
    assert not heard and not work.idle
    gate.set()
    wait_readable(work.fd, 10)
    work.take()
    assert len(heard) == 1 and heard[0] != threading.get_ident()
    assert work.idle


def test_much_at_once(work):
    heard = []
    for number in range(50):
        work.do(lambda number=number: number, heard.append)
    while not work.idle:
        wait_readable(work.fd, 10)
        work.take()
    assert sorted(heard) == list(range(50))


def test_what_goes_wrong_is_heard_of(work):
    work.do(lambda: 1 // 0, lambda result: None)
    wait_readable(work.fd, 10)
    with pytest.raises(ZeroDivisionError):
        work.take()
    assert work.idle


def test_work_that_ends_too_late_writes_nowhere():
    gate, over = threading.Event(), threading.Event()
    one = beside.Beside()
    one.do(lambda: gate.wait(10) and over.set(), lambda result: None)
    one.close()
    source, target = os.pipe()  # which has the same numbers
    gate.set()
    assert over.wait(10)
    os.set_blocking(source, False)
    with one._lock, pytest.raises(BlockingIOError):
        os.read(source, 1)
    os.close(source)
    os.close(target)


def test_without_threads_it_is_done_at_once(work, monkeypatch):
    def none(*words):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(beside._thread, "start_new_thread", none)
    heard = []
    work.do(lambda: 5, heard.append)
    work.take()
    assert heard == [5]
