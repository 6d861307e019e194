"""Pools that run while their home is installed anew."""

import os
import subprocess

from qmailpy.home import Home
from qmailpy.install.pools import is_pool, renew
from tests.home import install, wait_for
from tests.pool.test_worker import pool, run, session  # noqa: F401
from tests.pools import is_alive


def test_rule_15_setup_has_running_pools_use_the_new_code(single, pool, session):  # noqa: F811
    servers, queue = pool("servers", size=2), pool("queue")
    child, old = session(), [servers.supervisor(), queue.supervisor()]
    install(single.path, "--single")
    wait_for(lambda: servers.supervisor() not in old and queue.supervisor() not in old)
    child.stdin.write(b"QUIT\r\n")
    assert child.wait(30) == 0
    wait_for(lambda: not any(map(is_alive, old)))
    assert run(single, "qmail-smtpd", data=b"QUIT\r\n").returncode == 0
    assert (servers.log.text(), queue.log.text()) == ("", "")


def test_nobody_else_who_has_locked_the_file_gets_a_signal(tmp_path):
    folder = tmp_path / "run/servers/7"
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    with subprocess.Popen(["flock", folder / "lock", "sh", "-c", "echo locked; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"locked\n"
        assert renew(Home(str(tmp_path))) == 0
        child.communicate(b"\n")
        assert child.returncode == 0
    assert renew(Home(str(tmp_path))) == 0  # and none at all


def test_whether_a_process_is_a_pool():
    assert not is_pool(os.getpid())
    assert not is_pool(1 << 30)
