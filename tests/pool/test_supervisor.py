"""A supervisor: as many workers as are needed, and a door that closes first."""

import os
import signal
import subprocess
import time

import pytest

from qmailpy.pool import supervisor
from qmailpy.pool.kind import SERVERS
from qmailpy.pool.supervisor import RECENT
from qmailpy.unix.board import EMPTY
from qmailpy.unix.handover import Door
from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import pool, session  # noqa: F401
from tests.pools import children, in_child, is_alive


def test_workers_grow_with_demand_up_to_the_limit(pool, session):  # noqa: F811
    running = pool(size=5)
    begun = [session() for _ in range(5)]
    wait_for(lambda: len(running.workers()) == 5)
    sixth = session()
    assert len(running.workers()) == 5
    for child in (*begun, sixth):
        child.stdin.write(b"QUIT\r\n")
        assert child.wait(PATIENCE) == 0


def test_rule_15_term_the_socket_goes_first_then_workers_finish(pool, session):  # noqa: F811
    running = pool()
    child, (worker,) = session(), running.workers()
    running.send(signal.SIGTERM)
    wait_for(lambda: not running.socket.exists())
    child.stdin.write(b"NOOP\r\n")
    assert child.stdout.readline() == b"250 ok\r\n"
    assert is_alive(worker)
    child.stdin.write(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0
    assert running.child.wait(PATIENCE) == 0


def test_rule_15_a_second_term_ends_the_workers(pool, session):  # noqa: F811
    running = pool()
    child = session()
    running.send(signal.SIGTERM)
    wait_for(lambda: not running.socket.exists())
    running.send(signal.SIGTERM)
    assert child.wait(PATIENCE) == 111
    assert running.child.wait(PATIENCE) == 0


def test_rule_15_the_log_is_let_go_at_once(pool, session):  # noqa: F811
    running = pool()
    child = session()
    running.send(signal.SIGTERM)
    wait_for(lambda: running.log.over)  # nobody holds it, though a session goes on
    child.stdin.write(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0


def test_a_supervisor_that_is_killed_takes_idle_workers_along(pool):  # noqa: F811
    running = pool(size=2)
    workers, supervisor = running.workers(), running.supervisor()
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, workers)))
    running.log.wait("ended with status -9")  # it may not have said yet that it was ready


def test_rule_8_kill_0_does_not_reach_the_pool(single, pool, tmp_path):  # noqa: F811
    running = pool()
    program = tmp_path / "filter"
    program.write_text("#!/bin/sh\nkill -9 0\n")
    program.chmod(0o755)
    subprocess.run([single.program("qmail-smtpd")], input=b"MAIL FROM:<>\r\nRCPT TO:<b@test.example>\r\nDATA\r\n", env={**single.env, "QMAILQUEUE": str(program)},
                   capture_output=True, timeout=PATIENCE)
    assert is_alive(running.supervisor())
    wait_for(lambda: running.workers())


@pytest.mark.parametrize("size", [1, 2])
def test_every_worker_is_the_supervisors_child(pool, size):  # noqa: F811
    running = pool(size=size)
    assert children(running.supervisor()) == running.workers()


def test_rule_1_who_comes_while_workers_come_free_waits_for_one(single, pool, session):  # noqa: F811
    running = pool()
    first = session()
    second = subprocess.Popen([single.program("qmail-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=single.env)
    first.stdin.write(b"QUIT\r\n")
    assert second.stdout.readline().startswith(b"220 ")
    assert os.readlink(f"/proc/{second.pid}/exe").endswith("/qmail-smtpd")  # and no interpreter
    second.communicate(b"QUIT\r\n", PATIENCE)
    assert len(running.workers()) == 1


def test_rule_1_where_none_comes_free_nobody_waits(single, pool, session):  # noqa: F811
    pool()
    session()
    time.sleep(RECENT)  # nothing tells that time has passed
    third = session()
    assert not os.readlink(f"/proc/{third.pid}/exe").endswith("/qmail-smtpd")


def test_rule_1_a_queue_that_is_full_is_asked_again_and_nothing_is_started(single, pool):  # noqa: F811
    pool("queue", size=1)
    begun = [subprocess.Popen([single.program("qmail-queue")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=single.env) for _ in range(2)]
    wait_for(lambda: len([name for name in single.queue_files() if name.startswith("mess/")]) == 1)
    for child in begun:
        assert os.readlink(f"/proc/{child.pid}/exe").endswith("/qmail-queue")
    begun[0].stdin.close()
    begun[1].stdin.close()
    assert [child.wait(PATIENCE) for child in begun] == [54, 54]


def test_where_no_process_can_be_had_it_rests(tmp_path, monkeypatch):
    tries = []
    monkeypatch.setattr(supervisor, "fork_working", lambda *words, **more: tries.append(1) or (_ for _ in ()).throw(BlockingIOError))

    def work():
        log, others = os.pipe(), os.pipe()
        one = supervisor.Supervisor(SERVERS, 5, Door(str(tmp_path / "socket"), 0o600), others[0], others[1], log[1], lambda fd: None)
        for _ in range(3):
            one.grow()
        seen = [len(tries), os.read(log[0], 999), one.board.count(EMPTY)]
        one.resting_until = time.monotonic()
        one.grow()
        return [*seen, len(tries)]

    # Not again and again at once, as long as there is none.
    assert in_child(work) == [1, b"qmail-pool: servers: unable to fork\n", 5, 2]


def test_after_a_crowd_workers_that_nobody_needs_go(pool, session):  # noqa: F811
    running = pool(size=12)
    begun = [session() for _ in range(12)]
    wait_for(lambda: len(running.workers()) == 12)
    crowd = running.workers()
    for child in begun:
        child.stdin.write(b"QUIT\r\n")
        assert child.wait(PATIENCE) == 0
    wait_for(lambda: len(running.workers()) <= 4)
    assert running.workers() == crowd[:4]  # those who have been there longest
    assert running.log.text() == ""
