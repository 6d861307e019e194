"""A keeper: starts the supervisor, and another one when it must."""

import os
import pathlib
import signal
import subprocess

from qmailpy.unix.files import lock_holder
from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import pool, run, session, spoilt, witness  # noqa: F401
from tests.pools import children, is_alive


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


def end_parent(running, parent):
    parent.stdin.close()
    parent.wait(PATIENCE)
    wait_for(lambda: not running.socket.exists())


def test_rule_14_a_pool_whose_keeper_dies_is_started_again_while_its_process_lives(pool, session):  # noqa: F811
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as parent:
        running = pool("servers", "-p", str(parent.pid))
        child, old = session(), running.supervisor()
        os.kill(running.child.pid, signal.SIGKILL)
        running.child.wait(PATIENCE)
        fresh = wait_for(lambda: (pid := lock_holder(running.folder / "lock")) not in (None, running.child.pid) and pid)
        wait_for(lambda: running.socket.exists() and any(map(children, children(fresh))))
        child.stdin.write(b"QUIT\r\n")
        assert child.wait(PATIENCE) == 0
        wait_for(lambda: not is_alive(old))
        assert running.log.text() == ""
        end_parent(running, parent)
        wait_for(lambda: not is_alive(fresh))


def test_rule_14_a_keeper_that_is_killed_while_its_supervisor_warms_up(single, pool):  # noqa: F811
    """That one leaves at once, and says nothing."""
    running = pool(ready=False)
    supervisor = wait_for(lambda: children(running.child.pid))[0]
    wait_for(lambda: b"-s" in pathlib.Path(f"/proc/{supervisor}/cmdline").read_bytes().split(b"\0"))
    os.kill(supervisor, signal.SIGSTOP)
    os.kill(running.child.pid, signal.SIGKILL)
    running.child.wait(PATIENCE)
    os.kill(supervisor, signal.SIGCONT)
    wait_for(lambda: running.log.over)
    wait_for(lambda: not is_alive(supervisor))
    assert running.log.text() == ""
    assert not running.socket.exists() or run(single, "qmail-smtpd", data=b"QUIT\r\n").returncode == 0


def test_rule_15_a_hup_while_a_supervisor_warms_up_is_not_lost(pool):  # noqa: F811
    """It may have loaded what was installed before."""
    running = pool()
    old = running.supervisor()
    running.send(signal.SIGHUP)
    first = wait_for(lambda: [pid for pid in children(running.child.pid) if pid != old])[0]
    running.send(signal.SIGHUP)
    wait_for(lambda: [pid for pid in children(running.child.pid) if pid not in (old, first)])
    wait_for(lambda: not is_alive(first) and not is_alive(old))
    assert running.workers() and running.log.text() == ""


def test_rule_15_sessions_outlive_a_second_hup_and_a_term_after_it(pool, session):  # noqa: F811
    running = pool()
    child = session()
    for _ in range(2):
        old = running.supervisor()
        running.send(signal.SIGHUP)
        wait_for(lambda: running.supervisor() != old and children(running.supervisor()))  # noqa: B023
    running.send(signal.SIGTERM)
    wait_for(lambda: not running.socket.exists())
    child.stdin.write(b"NOOP\r\nQUIT\r\n")
    assert child.stdout.readline() == b"250 ok\r\n"
    assert child.wait(PATIENCE) == 0
    assert running.child.wait(PATIENCE) == 0


def test_rule_15_hup_to_every_process_of_the_pool_is_one_to_the_pool(pool, session):  # noqa: F811
    """As killall -HUP qmail-pool sends it."""
    running = pool(size=3)
    child, old = session(), running.supervisor()
    for pid in (running.child.pid, old, *running.workers()):
        os.kill(pid, signal.SIGHUP)
    wait_for(lambda: running.supervisor() != old and running.workers())
    child.stdin.write(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0
    wait_for(lambda: not is_alive(old))
    assert running.log.text() == ""


def test_rule_15_term_to_every_process_of_the_pool_lets_sessions_finish(pool, session):  # noqa: F811
    running = pool(size=3)
    child = session()
    for pid in (*running.workers(), running.supervisor(), running.child.pid):
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not running.socket.exists())
    child.stdin.write(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0
    assert running.child.wait(PATIENCE) == 0


def test_rule_14_those_who_come_while_the_first_supervisor_warms_up_wait_for_it(single, pool):  # noqa: F811
    """If they all started interpreters, it would never get ready."""
    running = pool(ready=False)
    wait_for(running.socket.exists)
    (supervisor,) = children(running.child.pid)
    assert not children(supervisor)
    (single.path / "control/qmqp").touch()
    begun = [subprocess.Popen([single.program("qmail-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=single.env) for _ in range(3)]
    assert all(child.stdout.readline().startswith(b"220 ") for child in begun[:1])
    assert any("qmail-smtpd" in os.readlink(f"/proc/{child.pid}/exe") for child in begun)
    for child in begun:
        assert child.communicate(b"QUIT\r\n", PATIENCE)[0].endswith(b"221 mx.test.example\r\n")


def test_rule_14_code_that_never_gets_ready_leaves_nobody_waiting(single, pool, tmp_path):  # noqa: F811
    folder = single.path / "lib/qmailpy/current/qmailpy/pool"
    kept = single.path / "lib/qmailpy/current/modules"
    broken = folder / "supervisor.py"
    text = broken.read_text()
    os.rename(kept, tmp_path / "modules")
    broken.write_text("raise ValueError\n")
    try:
        running = pool(ready=False)
        running.log.wait("a supervisor did not get ready, but ended with status 111")
        assert run(single, "qmail-smtpd", data=b"QUIT\r\n").returncode == 0
    finally:
        os.rename(tmp_path / "modules", kept)
        broken.write_text(text)
