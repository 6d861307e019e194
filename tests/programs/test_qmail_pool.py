"""qmail-pool's command line, and where a pool is."""

import os
import pathlib
import signal
import stat
import subprocess

import pytest

from qmailpy.exits import Usage
from qmailpy.programs.qmail_pool import Arguments, make_folder
from qmailpy.unix.process import Identity
from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import pool  # noqa: F401


@pytest.mark.parametrize(("words", "expected"), [
    (["servers"], ("servers", "", None, False)), (["servers", "vpopmail"], ("servers", "vpopmail", None, False)),
    (["-p", "12", "queue"], ("queue", "", 12, False)), (["-s", "queue"], ("queue", "", None, True)),
])
def test_arguments(words, expected):
    found = Arguments(["qmail-pool", *words])
    assert (found.kind.name, found.user, found.parent, found.inner) == expected


@pytest.mark.parametrize("words", [[], ["x"], ["queue", "user"], ["servers", "a", "b"], ["-p", "x", "queue"], ["-x", "queue"], ["-p"]])
def test_usage(words):
    with pytest.raises(Usage):
        Arguments(["qmail-pool", *words])


def start(single, *words):
    return subprocess.run([single.program("qmail-pool"), *words], env=single.env, capture_output=True, text=True, timeout=PATIENCE)


def test_it_is_switched_off(single):
    done = start(single, "servers")
    assert (done.returncode, done.stderr) == (0, "qmail-pool: servers: switched off by control/poolservers\n")


def test_rule_4_a_second_supervisor_leaves(single, pool):  # noqa: F811
    running = pool("queue")
    done = start(single, "queue")
    assert (done.returncode, done.stderr) == (100, "qmail-pool: queue: another one is running\n")
    assert running.workers()
    silent = start(single, "-p", str(os.getpid()), "queue")
    assert (silent.returncode, silent.stderr) == (100, "")


def test_rule_4_a_pool_that_is_about_to_end_is_waited_for(single, pool):  # noqa: F811
    first = pool("queue")
    supervisor = first.supervisor()
    first.send(signal.SIGTERM)
    second = pool("queue", ready=False)
    wait_for(lambda: second.workers() and second.socket.exists())
    assert second.supervisor() != supervisor


def test_rule_4_places_owners_and_modes(single, pool):  # noqa: F811
    servers, queue = pool("servers"), pool("queue")
    for running, folder, sock in ((servers, 0o700, 0o600), (queue, 0o755, 0o666)):
        assert stat.S_IMODE(running.folder.stat().st_mode) == folder
        assert stat.S_IMODE(running.socket.stat().st_mode) == sock
        assert running.folder.stat().st_uid == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes folders for others")
@pytest.mark.parametrize("killed", [False, True])
def test_rule_4_a_folder_for_another_user(tmp_path, killed):
    path, other = tmp_path / "777", Identity(777, 778)
    if killed:
        path.mkdir(0o700)
    make_folder(str(path), 0o750, other)
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (777, 778, 0o750)
    path.chmod(0o700)
    make_folder(str(path), 0o750, other)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700  # an administrator's choice


def test_rule_14_a_parent_that_has_gone_already(single):
    single.control(poolqueue="1\n")
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert start(single, "-p", str(gone.pid), "queue").returncode == 0
    assert not pathlib.Path(single.path / "run/queue/socket").exists()


def test_only_root_can_start_one_for_another_user(single):
    if os.geteuid() == 0:
        single.control(poolservers="1\n")
    done = start(single, "servers", "nobody")
    assert done.returncode in (0, 100)
