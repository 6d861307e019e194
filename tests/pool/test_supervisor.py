"""A supervisor: as many workers as are needed, and a door that closes first."""

import os
import signal
import subprocess

import pytest

from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import pool, session  # noqa: F401
from tests.pools import children, is_alive


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


def test_after_a_crowd_workers_that_nobody_needs_go(pool, session):  # noqa: F811
    running = pool(size=12)
    begun = [session() for _ in range(12)]
    wait_for(lambda: len(running.workers()) == 12)
    for child in begun:
        child.stdin.write(b"QUIT\r\n")
        assert child.wait(PATIENCE) == 0
    wait_for(lambda: len(running.workers()) <= 4)
    assert len(running.workers()) == 4
    assert running.log.text() == ""
