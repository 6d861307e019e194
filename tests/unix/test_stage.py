"""A process that is what a request wants, and afterwards as if nothing had been."""

import os
import signal

import pytest

from qmailpy.text.poolwire import AS, CORE, HIGHEST, NOFILE, Limits, Request
from qmailpy.unix import limits
from qmailpy.unix.process import spawn, wait
from qmailpy.unix.stage import Stage, high
from tests.pools import in_child


def request(descriptors=(0, 1, 2), **facts):
    return Request("qmail-smtpd", [], {}, descriptors, b"", Limits(facts.pop("limits", None) or limits.limits()), **facts)


def open_descriptors():
    return [number for number in range(HIGHEST) if os.path.exists(f"/proc/self/fd/{number}")]


def state():
    """All of it."""
    umask = os.umask(0)
    os.umask(umask)
    targets = [os.readlink(f"/proc/self/fd/{number}") for number in open_descriptors()]
    return (os.getcwd(), umask, targets, [signal.getsignal(number) for number in range(1, 32) if number not in (9, 19)], signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            limits.limits(), signal.getitimer(signal.ITIMER_REAL)[0])


def spoil():
    """What a program might leave behind."""
    os.chdir("/tmp")
    os.umask(0)
    for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGALRM, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    for _ in range(5):
        os.open("/etc/passwd", os.O_RDONLY)
    os.close(0)


def test_rule_7_nothing_is_left_for_the_next():
    def work():
        stage = Stage()
        before, held = state(), len(os.listdir("/proc/self/fd"))
        theirs = limits.limits()
        theirs[CORE] = theirs[NOFILE] = (50, 60)
        for _ in range(2):
            fds = [os.open("/dev/zero", os.O_RDONLY), os.open("/usr", os.O_PATH)]
            stage.set(request((3,), directory=True, umask=0o27, ignored=1 << signal.SIGUSR2, limits=theirs), fds, {CORE: 50, NOFILE: 50})
            within = (os.getcwd(), open_descriptors(), os.readlink("/proc/self/fd/3"), signal.getsignal(signal.SIGUSR2), limits.limits()[CORE][0], os.umask(0o27))
            spoil()
            stage.clear()
        return within, before == state(), len(os.listdir("/proc/self/fd")) - held

    within, clean, more = in_child(work)
    assert within == ("/usr", [3], "/dev/zero", signal.SIG_IGN, 50, 0o27)
    assert clean and not more


def test_a_request_that_cannot_be_set_leaves_nothing_either():
    def work():
        stage = Stage()
        before = state(), sorted(os.listdir("/proc/self/fd"))
        try:
            stage.set(request((0,), directory=True), [os.open("/dev/zero", os.O_RDONLY), os.open("/dev/zero", os.O_RDONLY)], {})
        except NotADirectoryError:
            stage.clear()
            return before == (state(), sorted(os.listdir("/proc/self/fd")))
        return None

    assert in_child(work) is True


def test_rule_5_descriptors_have_the_numbers_that_they_had():
    def work():
        stage = Stage()
        names = ["/dev/zero", "/dev/full", "/etc/passwd"]
        for _ in range(20):
            stage.set(request((7, 0, 150)), [os.open(name, os.O_RDONLY) for name in names], {})
            found = {number: os.readlink(f"/proc/self/fd/{number}") for number in open_descriptors()}
            stage.clear()
        return found

    assert in_child(work) == {7: "/dev/zero", 0: "/dev/full", 150: "/etc/passwd"}


def test_rule_8_children_have_the_callers_limits(tmp_path):
    def work():
        stage = Stage()
        theirs = limits.limits()
        theirs[AS], theirs[CORE] = (60 << 20, 60 << 20), (3, 7)
        said = os.open(tmp_path / "said", os.O_WRONLY | os.O_CREAT)
        stage.set(request(limits=theirs), [os.open("/dev/null", os.O_RDWR), said, os.open("/dev/null", os.O_RDWR)], {CORE: 3})
        wait(spawn(["/bin/sh", "-c", "ulimit -Sv; ulimit -Hv; ulimit -Sc; ulimit -Hc"], {}, {1: 1}))
        own = limits.limits()
        stage.clear()
        return own[AS], own[CORE][0]

    memory, core = in_child(work)
    assert (memory, core) == (limits.limits()[AS], 3)
    assert (tmp_path / "said").read_text().split() == ["61440", "61440", "0", "0"]  # blocks of memory, and of core files


@pytest.mark.parametrize("where", ["worker", "child"])
def test_rule_1_an_exit_in_the_middle_is_told_but_not_that_of_a_child(where):
    source, target = os.pipe()
    if (pid := os.fork()) == 0:
        told = high(target)
        stage = Stage()
        stage.on_exit(lambda status: os.write(told, b"%d" % status) == 2)
        if where == "worker":
            os._exit(52)
        child = os.fork()
        if child == 0:
            os._exit(7)
        os.waitpid(child, 0)
        os.kill(os.getpid(), 9)
    os.close(target)
    with open(source, "rb") as answer:
        assert answer.read() == (b"52" if where == "worker" else b"")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == (0 if where == "worker" else -9)


def test_an_exit_that_is_nobodys_is_the_processs_own():
    if (pid := os.fork()) == 0:
        Stage().on_exit(lambda status: False)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_high_numbers_are_in_nobodys_way():
    fd = high(os.open("/dev/null", os.O_RDONLY))
    assert fd >= HIGHEST and not os.get_inheritable(fd)
    os.close(fd)
