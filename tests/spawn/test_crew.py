"""A spawner's children: who gets which work, who is kept, who is let go."""

import os
import signal
import time

import pytest

from qmailpy.spawn import crew as crews
from qmailpy.spawn.crew import Crew, Kind, Task
from qmailpy.unix.poll import Poll
from qmailpy.unix.signals import CHLD, Wakeup

FAILED = 99


class Loop:
    """A crew, and the loop around it as a spawner has it; `said` is [(name of the work, status, answer)]."""

    def __init__(self):
        self.poll = Poll()
        self.crew = Crew(self.poll)
        self.wakeup = Wakeup([CHLD])
        self.poll.add(self.wakeup.fd)
        self.nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.said = []

    def kind(self, key, work, **named):
        return Kind(key, lambda: work, FAILED, {0: self.nothing, 1: self.nothing, 2: self.nothing}, **named)

    def add(self, kind, name, data=b"x"):
        self.crew.add(Task(kind, data, (), lambda: None, lambda status, more: self.said.append((name, status, more))))

    def turn(self, seconds=None):
        ready = self.poll.wait(self.crew.patience() if seconds is None else seconds)
        for fd in ready:
            self.crew.hear(fd)
        if self.wakeup.fd in ready:
            self.wakeup.take()
            self.crew.reap()
        self.crew.go_on()

    def until(self, condition):
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, self.said
            self.turn(0.05)

    def ask(self, kind, name="one", data=b"x"):
        count = len(self.said)
        self.add(kind, name, data)
        self.crew.go_on()
        self.until(lambda: len(self.said) > count)
        return self.said[-1]


@pytest.fixture
def loop():
    made = Loop()
    yield made
    for pid in list(made.crew.by_pid):
        os.kill(pid, signal.SIGKILL)
    made.until(lambda: not made.crew.by_pid)
    made.wakeup.close()
    os.close(made.nothing)


def pid_of(data):
    return 0, b"%d" % os.getpid()


def test_one_kind_is_served_by_one_child_another_by_another(loop):
    pids = [loop.ask(loop.kind(key, pid_of))[2] for key in ("a", "a", "b", "a", "b")]
    assert pids[0] == pids[1] == pids[3] != pids[2] == pids[4]


def test_work_at_the_same_time_has_children_of_its_own(loop):
    kind = loop.kind("a", pid_of)
    for name in range(3):
        loop.add(kind, name)
    loop.crew.go_on()
    loop.until(lambda: len(loop.said) == 3)
    assert len({pid for _, _, pid in loop.said}) == 3
    assert len(loop.crew.resting) == 3


def test_a_child_that_rests_too_long_is_let_go(loop, monkeypatch):
    loop.ask(loop.kind("a", pid_of))
    assert 0 < loop.crew.patience() <= crews.REST
    monkeypatch.setattr(crews, "REST", 0.0)
    loop.until(lambda: not loop.crew.by_pid)
    assert (loop.crew.by_fd, loop.crew.resting, loop.crew.free, loop.crew.count, loop.crew.patience()) == ({}, {}, {}, {}, None)


def test_of_many_that_rest_the_oldest_are_let_go(loop, monkeypatch):
    monkeypatch.setattr(crews, "MOST_RESTING", 2)
    for key in "abcb":
        loop.ask(loop.kind(key, pid_of))
    loop.until(lambda: len(loop.crew.by_pid) == 2)
    assert [member.kind.key for member in loop.crew.resting] == ["c", "b"]


def test_a_child_that_was_killed_at_rest_costs_nothing(loop):
    kind = loop.kind("a", pid_of)
    first = loop.ask(kind)
    os.kill(int(first[2]), signal.SIGKILL)
    os.waitid(os.P_PID, int(first[2]), os.WEXITED | os.WNOWAIT)  # it is known to the kernel, but the crew has not looked yet
    name, status, pid = loop.ask(kind)
    assert (name, status) == ("one", 0)
    assert pid != first[2]


@pytest.mark.parametrize(("work", "status"), [
    (lambda data: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL), (lambda data: os._exit(3), 3), (lambda data: 1 // 0, FAILED),
    (lambda data: os._exit(0), -signal.SIGKILL),  # without an answer nothing has succeeded
    (lambda data: (os.close(3), time.sleep(0), os._exit(0)), -signal.SIGKILL),
])
def test_death_at_work_is_told(loop, work, status):
    assert loop.ask(loop.kind("a", work))[1] == status
    assert loop.ask(loop.kind("a", pid_of))[1] == 0
    assert loop.crew.count == {"a": 1}


def test_who_cannot_become_who_he_is_to_be_is_told(loop):
    assert loop.ask(Kind("a", lambda: 1 // 0, FAILED))[1] == FAILED


def test_there_can_be_no_child(loop, monkeypatch):
    def no_fork():
        raise BlockingIOError(11, "no process")

    monkeypatch.setattr(os, "fork", no_fork)
    before = os.listdir("/proc/self/fd")
    loop.add(loop.kind("a", pid_of), "one")
    loop.crew.go_on()
    assert loop.said == [("one", None, b"")]
    assert os.listdir("/proc/self/fd") == before


def test_who_speaks_out_of_turn_is_let_go(loop):
    import socket

    def work(data):
        link = socket.socket(fileno=os.dup(3))
        link.send(b"\0\0")
        return 0, b""

    assert loop.ask(loop.kind("a", work))[1] == 0
    loop.until(lambda: not loop.crew.by_fd)
    assert not loop.crew.free
    assert loop.ask(loop.kind("a", pid_of))[1] == 0


def test_patient_work_waits_for_a_few_children_but_not_for_those_that_hang(loop):
    def work(data):
        if data == b"hang":
            signal.pause()
        return pid_of(data)

    kind = loop.kind("a", work, patience=0.01)
    for name in range(20):
        loop.add(kind, name)
    loop.crew.go_on()
    assert len(loop.crew.by_pid) == crews.FEW
    loop.until(lambda: len(loop.said) == 20)
    for name in range(6):
        loop.add(kind, name, b"hang")
    loop.add(kind, "last")
    loop.until(lambda: loop.said[-1][0] == "last")
    assert loop.said[-1][1] == 0


def test_at_the_end_those_at_work_finish(loop):
    reading, writing = os.pipe()
    for key in ("a", "b"):
        loop.ask(loop.kind(key, pid_of))
    kind = Kind("c", lambda: lambda data: (os.read(0, 1) and 5, b""), FAILED, {0: reading, 1: loop.nothing, 2: loop.nothing})
    loop.add(kind, "late")
    loop.crew.go_on()
    loop.crew.end()
    loop.until(lambda: len(loop.crew.by_pid) == 1)
    os.write(writing, b"x")
    loop.until(lambda: not loop.crew.by_pid)
    assert loop.said[-1] == ("late", 5, b"")
    os.close(reading)
    os.close(writing)


def test_a_burst_does_not_hold_up_the_loop_with_a_child_for_each(loop):
    kind = loop.kind("a", pid_of)
    for name in range(50):
        loop.add(kind, name)
    loop.crew.go_on()
    assert len(loop.crew.by_pid) == crews.STARTS
    assert loop.crew.patience() == 0
    loop.until(lambda: len(loop.said) == 50)
    assert sorted(name for name, _, _ in loop.said) == list(range(50))
