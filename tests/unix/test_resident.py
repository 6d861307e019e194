"""A child that stays: what it takes, what it answers, what is left of one piece of work for the next, and when it ends."""

import os
import select
import signal

import pytest

from qmailpy.exits import retire
from qmailpy.unix import resident
from qmailpy.unix.fds import wait_readable
from qmailpy.unix.process import wait

FAILED = 99


class Child:
    """A resident whose work is `work`, or what `begin` gives."""

    def __init__(self, work=None, given=None, begin=None):
        self.resident = resident.start(begin or (lambda: work), {} if given is None else given, FAILED)
        self.over = False

    def ask(self, data=b"x", *fds):
        self.resident.give(data, fds)
        return self.hear()

    def hear(self):
        wait_readable(self.resident.fileno(), 20)
        return self.resident.answer()

    def status(self):
        self.over = True
        return wait(self.resident.pid)

    def end(self):
        self.resident.close()
        if not self.over:
            wait(self.resident.pid)


@pytest.fixture
def child():
    children = []

    def make(*words, **named):
        children.append(Child(*words, **named))
        return children[-1]

    yield make
    for one in children:
        one.end()


def nothing():
    fd = os.open(os.devnull, os.O_RDWR)
    return {0: fd, 1: fd, 2: fd}


def test_work_is_done_one_piece_after_another_in_one_process(child):
    one = child(lambda data: (len(data), b"%d" % os.getpid()), nothing())
    assert [one.ask(b"a"), one.ask(b"abc" * 100)] == [b"\1\0%d" % one.resident.pid, b"\x2c\0%d" % one.resident.pid]
    assert one.resident.answer() is None


def test_each_piece_has_its_descriptors_and_no_others(child, tmp_path):
    def work(data):
        os.write(1, os.read(0, 100).upper())
        os.write(2, b"".join(b" %s" % name.encode() for name in sorted(os.listdir("/proc/self/fd"))))
        return 0, b""

    one = child(work)
    for text in (b"first", b"second"):
        (tmp_path / "in").write_bytes(text)
        source, (reading, writing) = os.open(tmp_path / "in", os.O_RDONLY), os.pipe()
        assert one.ask(b"x", source, writing) == b"\0\0"
        os.close(source)
        os.close(writing)
        assert os.read(reading, 1000) == text.upper() + b" 0 1 2 3 4"  # 3: the connection, 4: the folder that is listed
        assert os.read(reading, 1000) == b"", "the child still has the output open"
        os.close(reading)


def test_it_ends_after_work_that_has_left_something_open(child):
    one = child(lambda data: (os.dup2(1, 77), (7, b""))[1])
    reading, writing = os.pipe()
    assert one.ask(b"x", reading, writing) == b"\7\1"
    os.close(writing)
    assert os.read(reading, 1) == b"", "the child still has the output open"
    os.close(reading)
    assert one.status() == 0


def leave_traces(data):
    os.umask(0)
    os.chdir("/tmp")
    signal.signal(signal.SIGUSR1, lambda number, frame: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, 3600)
    signal.setitimer(signal.ITIMER_PROF, 3600)
    return 0, b""


def traces(data):
    umask = os.umask(0)
    found = [umask, os.getcwd(), [f"{signal.getsignal(number):d}" for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGPIPE)],
             sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), signal.getitimer(signal.ITIMER_REAL), signal.getitimer(signal.ITIMER_PROF)]
    os.umask(umask)
    return 0, repr(found).encode()


def test_nothing_of_one_piece_is_left_for_the_next(child):
    one = child(lambda data: leave_traces(data) if data == b"leave" else traces(data), nothing())
    before = one.ask(b"look")
    assert one.ask(b"leave") == b"\0\0"
    assert one.ask(b"look") == before
    assert before.endswith(b"['0', '0', '1'], [], (0.0, 0.0), (0.0, 0.0)]")  # default, default, ignored


def test_it_ends_with_its_connection_and_is_nobodys_group(child):
    one = child(lambda data: (0, b"%d %d" % (os.getpgrp(), os.getpid())), nothing())
    group, pid = one.ask()[2:].split()
    assert group == pid == b"%d" % one.resident.pid
    one.resident.close()
    assert one.status() == 0


def fork(data):
    if os.fork() == 0:
        os._exit(0)
    return 7, b""


@pytest.mark.parametrize("work", [fork, lambda data: (retire("a secret"), (7, b""))[1]])
def test_it_ends_after_work_that_something_may_be_left_of(child, work):
    one = child(work, nothing())
    assert one.ask() == b"\7\1"
    assert one.hear() == b""
    assert one.status() == 0


def test_it_ends_when_it_has_worked_enough_or_has_grown(child, monkeypatch):
    monkeypatch.setattr(resident, "MOST_WORK", 3)
    one = child(lambda data: (0, b""), nothing())
    assert [one.ask(), one.ask(), one.ask()] == [b"\0\0", b"\0\0", b"\0\1"]
    monkeypatch.setattr(resident, "MOST_WORK", 1000)
    monkeypatch.setattr(resident, "MOST_GROWTH", 1 << 20)
    kept = []
    greedy = child(lambda data: (kept.append(b"x" * 1_000_000), (0, b""))[1], nothing())
    assert [greedy.ask() for _ in range(resident.LOOK)] == [b"\0\0"] * (resident.LOOK - 1) + [b"\0\1"]


@pytest.mark.parametrize(("work", "status"), [
    (lambda data: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL), (lambda data: os._exit(3), 3), (lambda data: 1 // 0, FAILED),
])
def test_without_an_answer_its_end_tells(child, work, status):
    one = child(work, nothing())
    assert one.ask() == b""
    assert one.status() == status


def test_who_cannot_become_who_he_is_to_be_ends(child):
    one = child(begin=lambda: 1 // 0, given=nothing())
    assert one.hear() == b""
    assert one.status() == FAILED
    with pytest.raises(OSError, match="roken pipe|reset"):
        one.resident.give(b"x", ())


def test_answers_and_work_have_a_limit(child):
    one = child(lambda data: (len(data) == resident.LIMIT, b"x" * 100_000), nothing())
    assert one.ask(b"x" * resident.LIMIT) == b"\1\0" + b"x" * (resident.LIMIT - 2)
    assert one.ask(b"x" * (resident.LIMIT + 1)) == b"", "what was cut off is no work"


def test_a_child_does_not_keep_anothers_connection(child):
    first = child(lambda data: (0, b""), nothing())
    second = child(lambda data: (0, b""), nothing())
    assert second.ask() == b"\0\0"
    first.resident.close()
    watch = os.pidfd_open(first.resident.pid)
    ready = select.select([watch], [], [], 20)[0]
    os.close(watch)
    assert ready
