"""Handing messages to queue programs: real ones, which keep, refuse, chatter, die or do not exist."""

import fcntl
import os
import sys
import termios
import time

import pytest

from qmailpy.exits import TENURE, Temporary
from qmailpy.home import Home
from qmailpy.queue import client, workers
from qmailpy.queue.client import QueueProcess
from tests.home import room_for


@pytest.fixture
def queue(tmp_path):
    """Makes a queue program of a shell script, and starts it."""
    home = Home(str(tmp_path))

    def start(script="", **env):
        path = tmp_path / "queue"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return QueueProcess(home, {"PATH": os.environ["PATH"], "QMAILQUEUE": str(path), **env})

    return start


def hand_over(process, message=b"Subject: x\n\n", recipients=(b"b@y",)):
    process.put(message)
    process.envelope(b"a@x")
    for recipient in recipients:
        process.recipient(recipient)
    return process.close()


KEEP = "cat > message; cat <&1 > envelope; "


def test_message_and_envelope_arrive(queue, tmp_path):
    big = b"x" * 300000
    assert hand_over(queue(KEEP + "exit 0"), big, (b"b@y", b"c@z")) == ""
    assert (tmp_path / "message").read_bytes() == big
    assert (tmp_path / "envelope").read_bytes() == b"Fa@x\0Tb@y\0Tc@z\0\0"


def test_it_runs_in_the_home_with_these_descriptors_alone(queue, tmp_path):
    assert hand_over(queue(KEEP + "ls /proc/$$/fd > fds; pwd > place; exit 0")) == ""
    assert (tmp_path / "place").read_text() == f"{tmp_path}\n"
    # The shell keeps its script, and descriptors that it moved out of the way, from 10 on.
    assert {fd for fd in map(int, (tmp_path / "fds").read_text().split()) if fd < 10} == {0, 1, 2, 4, 6}


@pytest.mark.parametrize("fd", [2, 4, 6])
def test_a_custom_text_from_each_descriptor(queue, fd):
    assert hand_over(queue(KEEP + f"echo 'Dno (#5.7.1)' >&{fd}; exit 82")) == "Dno (#5.7.1)"


def test_a_text_said_twice_counts_once(queue):
    assert hand_over(queue(KEEP + "echo Zonce >&2; echo Zonce >&6; exit 82")) == "Zonce"


def test_other_words_are_passed_on(queue, capfd):
    assert hand_over(queue(KEEP + "echo a warning >&2; exit 0")) == ""
    assert capfd.readouterr().err == "a warning\n"
    assert hand_over(queue(KEEP + "echo 'Dno no' >&2; exit 31")).startswith("Dmail server")
    assert capfd.readouterr().err == "Dno no\n"


def test_fail_leaves_the_envelope_without_end(queue, tmp_path):
    process = queue(KEEP + "exit 0")
    process.put(b"x")
    process.fail()
    process.envelope(b"a")
    assert process.close() == "Zqq read error (#4.3.0)"
    assert (tmp_path / "envelope").read_bytes() == b""


def test_an_abandoned_message_has_no_envelope(queue, tmp_path):
    process = queue(KEEP + "exit 54")
    process.fail()
    assert process.close() == "Zqq read error (#4.3.0)"


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_message_is_given_up_wherever_that_comes(queue, tmp_path, steps):
    before = os.listdir("/proc/self/fd")
    process = queue(KEEP + "exit 0")
    for step in [lambda: process.put(b"x" * 100000), lambda: process.envelope(b"a"), lambda: process.recipient(b"b" * 100000)][:steps]:
        step()
    process.abandon()
    assert not (tmp_path / "envelope").read_bytes().endswith(b"\0\0")
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(ChildProcessError):
        os.waitpid(process.pid, 0)


def test_giving_up_after_the_end_is_no_harm(queue):
    process = queue(KEEP + "exit 0")
    assert hand_over(process) == ""
    fd = os.open("/dev/null", os.O_RDONLY)
    process.abandon()
    os.close(fd)  # and not closed by somebody else


def test_a_program_that_hangs_is_not_waited_for(queue, monkeypatch):
    monkeypatch.setattr(client, "GRACE", 0.2)
    process, begin = queue("exec sleep 60"), time.monotonic()
    try:
        process.put(b"x")
        process.abandon()
        assert time.monotonic() < begin + 30
        os.kill(process.pid, 0)
    finally:
        os.kill(process.pid, 9)
        os.waitpid(process.pid, 0)


def test_a_program_that_reads_nothing(queue):
    assert hand_over(queue("exit 31"), b"x" * 300000).startswith("Dmail server")
    assert hand_over(queue("exit 0"), b"x" * 300000) == "Zqq read error (#4.3.0)"


def test_a_program_that_says_much_before_it_reads(queue, capfd):
    """Neither waits for the other: its words fill a pipe before the message does."""
    chatter = "head -c 200000 /dev/zero | tr '\\0' e >&2; "
    assert hand_over(queue(chatter + KEEP + "exit 0"), b"x" * 300000) == ""
    assert len(capfd.readouterr().err) == 65536


def test_what_a_program_leaves_behind_is_not_waited_for(queue, tmp_path):
    """A process in the background may keep the descriptors for as long as it likes."""
    left, begin = KEEP + "sleep 60 & echo $! > left; ", time.monotonic()
    try:
        assert hand_over(queue(left + "exit 0")) == ""
        os.kill(int((tmp_path / "left").read_text()), 9)
        assert hand_over(queue(left + "echo 'Dno (#5.7.1)' >&4; exit 82")) == "Dno (#5.7.1)"
        assert time.monotonic() < begin + 50
    finally:
        os.kill(int((tmp_path / "left").read_text()), 9)


def test_a_program_that_dies_or_cannot_be_run(queue, tmp_path):
    assert hand_over(queue("kill -9 $$")) == "Zqq crashed (#4.3.0)"
    for name in (str(tmp_path / "nowhere"), "nowhere", "true", "/"):
        assert hand_over(queue("", QMAILQUEUE=name)) == "Zunable to exec qq (#4.3.0)"


def test_the_homes_own_program_is_the_default(tmp_path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/qmail-queue"
    program.write_text("#!/bin/sh\nexit 71\n")
    program.chmod(0o755)
    for env in ({}, {"QMAILQUEUE": ""}, {"QMAILQUEUE": "bin/qmail-queue"}):
        assert hand_over(QueueProcess(Home(str(tmp_path)), {"PATH": "/bin", **env})) == "Zmail server temporarily rejected message (#4.3.0)"


def test_no_descriptor_is_left_behind(queue):
    before = os.listdir("/proc/self/fd")
    hand_over(queue(KEEP + "exit 0"))
    assert os.listdir("/proc/self/fd") == before


def test_no_descriptors_to_be_had(tmp_path):
    with room_for(2), pytest.raises(Temporary, match="qqt failure"):
        QueueProcess(Home(str(tmp_path)), {})


def test_a_child():
    pid = os.fork()
    if not pid:
        os._exit(31)
    work = client.Executed(pid)
    assert work.wait() == 31
    with pytest.raises(ChildProcessError):
        work.ended()


def test_rule_12_a_program_that_was_executed_executes_the_queue_program(tmp_path, monkeypatch):
    """Only a warm process asks the pool."""
    asked = []
    monkeypatch.setattr(QueueProcess, "_execute", lambda self, *given: asked.append(given) or client.Executed(os.getpid()))
    QueueProcess(Home(str(tmp_path)), {})
    assert len(asked) == 1


@pytest.fixture
def asked(monkeypatch):
    """A process that is warm, and a pool that notes what it is asked for and takes nothing: the messages' sizes, and whether that is all."""
    sizes = []

    def take(home, env, message, envelope, *, whole):
        sizes.append((int.from_bytes(fcntl.ioctl(message, termios.FIONREAD, bytes(4)), sys.byteorder), whole))

    monkeypatch.setattr(TENURE, "warm", True)
    monkeypatch.setattr(workers, "may_take", lambda home, env: True)
    monkeypatch.setattr(workers, "taken", take)
    return sizes


def test_a_pool_is_asked_when_all_is_written(queue, asked, tmp_path):
    process = queue(KEEP + "exit 0")
    process.put(b"x" * 20000)
    process.put(b"y" * 20000)
    process.envelope(b"a@x")
    process.recipient(b"b@y")
    assert (asked, process.pid) == ([], 0)
    assert process.close() == ""
    assert asked == [(40000, True)] and process.pid
    assert (tmp_path / "message").read_bytes() == b"x" * 20000 + b"y" * 20000
    assert (tmp_path / "envelope").read_bytes() == b"Fa@x\0Tb@y\0\0"


@pytest.mark.parametrize("sizes", [(300000, 1), (1, 300000)])
def test_a_pool_is_asked_when_a_pipe_is_full(queue, asked, tmp_path, sizes):
    process = queue(KEEP + "exit 0")
    process.put(b"x" * sizes[0])
    process.envelope(b"a@x")
    process.recipient(b"b" * sizes[1])
    [(size, whole)] = asked
    assert size <= min(sizes[0], 65536) and not whole
    assert process.close() == ""
    assert (tmp_path / "message").read_bytes() == b"x" * sizes[0]
    assert (tmp_path / "envelope").read_bytes() == b"Fa@x\0T" + b"b" * sizes[1] + b"\0\0"


def test_nobody_is_asked_for_a_message_that_is_given_up(queue, asked):
    before = os.listdir("/proc/self/fd")
    process = queue("exit 31")
    process.put(b"x")
    process.abandon()
    process = queue("exit 31")
    process.put(b"x")
    process.fail()
    process.envelope(b"a@x")
    assert process.close() == "Zqq read error (#4.3.0)"
    assert (asked, process.pid) == ([], 0)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("size", [1, 300000])
def test_nobody_can_be_asked_in_the_end(queue, asked, size):
    before = os.listdir("/proc/self/fd")
    process = queue("exit 31")
    with room_for(1):
        assert hand_over(process, b"x" * size) == "Zqqt failure (#4.3.0)"
    assert os.listdir("/proc/self/fd") == before
