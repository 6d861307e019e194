"""qmail-tcpserver and warm workers."""

import os
import pathlib
import signal
import socket
import time

import pytest

from qmailpy.serve.hire import LOST, Hire, Hired
from qmailpy.text.poolwire import EXIT, TAKEN
from qmailpy.unix.handover import pair
from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import pool  # noqa: F401
from tests.pools import children


@pytest.mark.parametrize(("word", "expected"), [(EXIT + b"\0", 0), (EXIT + b"\x6f", 111 << 8), (b"", LOST << 8)])
def test_the_end_of_a_workers_work(word, expected):
    one, other = pair()
    if word:
        other.send(word)
    else:
        other.close()
    assert Hired(7, one).status() == expected


class Client:
    """A client that has been greeted."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.stream = self.socket.makefile("rb")
        self.greeting = self.stream.readline()

    def say(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.stream.readline()


def test_a_connection_is_served_without_a_process_of_the_listener(single, pool):  # noqa: F811
    running = pool(size=2)
    port = single.listen()
    client = Client(port)
    assert client.greeting.startswith(b"220 ")
    assert children(single.others[-1].pid) == []
    pid = int(single.listener_log.wait(r"tcpserver: ok (\d+) 0:127.0.0.1:\d+ :127.0.0.1::\d+$").group(1))
    assert pid in running.workers()
    assert client.say(b"QUIT").startswith(b"221 ")
    single.listener_log.wait(f"tcpserver: end {pid} status 0")
    single.listener_log.wait("status: 0/40", count=2)


@pytest.mark.parametrize("how", ["no pool", "looked up", "swapped", "banner", "busy"])
def test_rule_12_else_the_program_is_executed(single, pool, how, tmp_path):  # noqa: F811
    running = pool() if how != "no pool" else None
    options = {"looked up": ["-h"], "banner": ["-B", "220 hello\r\n"]}.get(how, [])
    port = single.listen("-c9", *options, env={"DNSCACHEIP": "127.0.0.1:1"} if how == "looked up" else None)
    program, kept = single.path / "bin/qmail-smtpd", tmp_path / "kept"
    if how == "swapped":
        os.rename(program, kept)
        program.write_text("#!/bin/sh\necho swapped; exec sleep 60\n")
        program.chmod(0o755)
    try:
        first = Client(port) if how == "busy" else None
        client = Client(port)
        assert client.greeting.startswith(b"swapped" if how == "swapped" else b"220 ")
        assert len(children(single.others[-1].pid)) == 1
        assert first is None or first.say(b"NOOP") == b"250 ok\r\n"
        client.socket.close()
    finally:
        if how == "swapped":
            os.rename(kept, program)
    assert running is None or running.log.text() == ""


def test_limits_of_the_listener_count_warm_ones(single, pool):  # noqa: F811
    pool(size=4)
    port = single.listen("-c1")
    first = Client(port)
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as second:
        single.listener_log.wait("status: 1/1")
        assert first.say(b"QUIT").startswith(b"221 ")
        first.socket.close()
        assert second.recv(100).startswith(b"220 ")
    assert "status: 2/" not in single.listener_log.text()


def test_sessions_go_on_when_the_listener_ends(single, pool):  # noqa: F811
    pool()
    client = Client(single.listen())
    single.others[-1].send_signal(signal.SIGTERM)
    assert single.others[-1].wait(PATIENCE) == 0
    assert client.say(b"NOOP") == b"250 ok\r\n"
    assert client.say(b"QUIT").startswith(b"221 ")


def test_a_worker_that_dies_is_told(single, pool):  # noqa: F811
    running = pool()
    client = Client(single.listen())
    os.kill(running.workers()[0], signal.SIGKILL)
    assert client.stream.read() == b""
    single.listener_log.wait("tcpserver: end .* status 28416")


def test_a_pool_that_keeps_silent_is_not_asked_again_at_once(single, pool):  # noqa: F811
    running = pool()
    port = single.listen()
    pids = [running.child.pid, running.supervisor(), *running.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        clients = [Client(port) for _ in range(2)]
        assert all(client.greeting.startswith(b"220 ") for client in clients)
        wait_for(lambda: len(children(single.others[-1].pid)) == 2)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_rule_5_the_worker_has_what_the_program_would_have(single, pool):  # noqa: F811
    pool()
    os.chdir("/usr")
    client = Client(single.listen())
    assert client.say(b"NOOP") == b"250 ok\r\n"
    (worker,) = [pid for one in children(int(pathlib.Path("/proc/self").resolve().name)) for two in children(one) for pid in children(two)
                 if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("qmail-p")]
    found = [os.readlink(f"/proc/{worker}/fd/{number}").split(":")[0] for number in (0, 1)]
    assert found == ["socket", "socket"]
    assert os.readlink(f"/proc/{worker}/cwd") == "/usr"
    assert sorted(int(name) for name in os.listdir(f"/proc/{worker}/fd") if int(name) < 200) == [0, 1, 2]


@pytest.fixture
def silent(pool):  # noqa: F811
    """A pool that gives no answer."""
    running = pool()
    pids = [running.child.pid, running.supervisor(), *running.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield running
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def test_nobody_waits_for_a_pool_that_another_waits_for(single, silent):
    port = single.listen()
    clients = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(3)]
    assert all(client.recv(100).startswith(b"220 ") for client in clients)
    lines = [line for line in single.listener_log.lines if "pid" in line or "status: 3" in line]
    assert lines[0] == "tcpserver: status: 3/40"  # all were there before any was served
    for client in clients:
        client.close()


def test_who_waits_for_a_worker_when_the_listener_ends_is_served(single, silent):
    port = single.listen()
    client = socket.create_connection(("127.0.0.1", port), PATIENCE)
    single.listener_log.wait("status: 1/40")
    single.others[-1].send_signal(signal.SIGTERM)
    assert client.recv(100).startswith(b"220 ")
    assert single.others[-1].wait(PATIENCE) == 0
    client.close()


@pytest.mark.parametrize(("heard", "rests"), [(0.0, True), (time.monotonic() + 3600, False)])
def test_a_pool_is_left_alone_for_a_moment_only_if_it_answers_nobody(heard, rests):
    hire = Hire.__new__(Hire)
    hire.resting_until, hire.heard = 0.0, heard
    one, _ = pair()
    assert hire.answer(one, late=True) is None
    assert (hire.resting_until > time.monotonic()) is rests


def test_an_answer_that_has_come_in_the_last_moment_counts():
    hire = Hire.__new__(Hire)
    hire.resting_until = hire.heard = 0.0
    one, other = pair()
    other.send(TAKEN + b"4711")
    assert hire.answer(one, late=True).pid == 4711
    assert hire.resting_until == 0 < hire.heard
