"""A keeper: starts the supervisor, and another one when it must."""

import os
import signal
import subprocess

from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import pool, run, session, spoilt, witness  # noqa: F401
from tests.pools import is_alive


def test_rule_14_a_supervisor_that_dies_is_started_again(pool):  # noqa: F811
    running = pool()
    first = running.supervisor()
    os.kill(first, signal.SIGKILL)
    running.log.wait("ended with status -9")  # it may not have said yet that it was ready
    wait_for(lambda: running.workers() and running.supervisor() != first)


def test_rule_14_a_supervisor_ends_with_its_keeper(pool):  # noqa: F811
    running = pool()
    pids = [running.supervisor(), *running.workers()]
    os.kill(running.child.pid, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, pids)))
    assert not running.socket.exists()


def test_rule_14_a_pool_ends_with_the_process_that_it_belongs_to(pool, session):  # noqa: F811
    parent = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    running = pool("servers", "-p", str(parent.pid))
    child = session()
    parent.stdin.close()
    parent.wait(PATIENCE)
    wait_for(lambda: running.log.over)
    assert not running.socket.exists()
    child.stdin.write(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0
    assert running.child.wait(PATIENCE) == 0


def test_rule_15_hup_brings_the_code_that_is_installed_now_and_old_workers_finish(single, pool, session):  # noqa: F811
    running = pool()
    child, old = session(), running.supervisor()
    running.send(signal.SIGHUP)
    wait_for(lambda: running.supervisor() != old and len(running.workers()) > 1)
    assert running.socket.exists()
    assert run(single, "qmail-smtpd", data=b"QUIT\r\n").returncode == 0
    assert is_alive(old)
    child.stdin.write(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0
    wait_for(lambda: not is_alive(old))
    assert running.socket.exists() and running.log.text() == ""


def test_rule_15_code_that_does_not_get_ready_changes_nothing(single, pool):  # noqa: F811
    running = pool()
    old = running.supervisor()
    current = single.path / "lib/qmailpy/current"
    before = os.readlink(current)
    try:
        current.unlink()
        current.symlink_to("nowhere")
        running.send(signal.SIGHUP)
        running.log.wait("a supervisor did not get ready, but ended with status")
    finally:
        current.unlink()
        current.symlink_to(before)
    assert running.supervisor() == old
    assert single.program("qmail-smtpd") and run(single, "qmail-smtpd", data=b"QUIT\r\n").returncode == 0


def test_rule_16_no_process_mixes_versions(single, pool, spoilt):  # noqa: F811
    """The pool goes on with the code that it has begun with, though another is installed; until HUP."""
    running = pool()
    current = single.path / "lib/qmailpy/current"
    assert run(single, "qmail-qmqpd", env={"LEAVE": "7"}).returncode == 7
    other = next(name for name in sorted(os.listdir(single.path / "lib/qmailpy")) if name not in ("current", "spoilt", "installed", "replaced", "programs"))
    current.unlink()
    current.symlink_to(other)
    assert run(single, "qmail-qmqpd", env={"LEAVE": "7"}).returncode == 7
    old = running.supervisor()
    running.send(signal.SIGHUP)
    wait_for(lambda: not is_alive(old))
    assert run(single, "qmail-qmqpd", env={"LEAVE": "7"}).returncode == 0
