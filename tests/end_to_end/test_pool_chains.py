"""Pools under programs that are not ours: Debian's tcpserver, with what is usually put between it and a server.  As root, in a home of many users."""

import contextlib
import grp
import os
import pathlib
import pwd
import re
import shutil
import smtplib
import socket
import subprocess

import pytest

from tests.end_to_end.test_pools import with_pools
from tests.home import PATIENCE, Lines, wait_for
from tests.netstrings import qmqp, qmtp, replies
from tests.pools import children, is_alive

MOST = 96 << 10  # KiB
CHAINS = {
    "nothing": [],
    "softlimit": ["softlimit", "-m", "2000000"],
    "softlimit, all of it": ["softlimit", "-m", "32000000", "-f", "100000000", "-o", "60", "-c", "0", "-l", "1000000"],
    "recordio": ["recordio"],
    "rblsmtpd": ["rblsmtpd", "-r", "rbl.example"],
    "setuidgid": ["setuidgid", "qmaild"],
    "all of them": ["setuidgid", "qmaild", "softlimit", "-m", "3000000", "rblsmtpd", "-r", "rbl.example", "recordio"],
}
KNOWN = {"RBLSMTPD": ""}  # rblsmtpd asks nobody then


def prefix(name):
    """The listener's command line for a chain; pytest.skip if a tool of it is missing."""
    words = CHAINS[name]
    for tool in ("tcpserver", *(word for word in words if word in ("softlimit", "recordio", "rblsmtpd", "setuidgid"))):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    who = pwd.getpwnam("qmaild")
    return ["tcpserver", "-v1RHl0", *([] if "setuidgid" in words else ["-u", str(who.pw_uid), "-g", str(who.pw_gid)])], words


def listen(home, name, server):
    """The port of a listener for a server of the home, behind a chain."""
    listener, words = prefix(name)
    if "setuidgid" in words:  # its group is the user's own, and so must be that of the pool
        who = pwd.getpwnam("qmaild")
        if who.pw_gid != grp.getgrnam("nofiles").gr_gid:
            pytest.skip("qmaild has another group than the pool")
    child = subprocess.Popen([*listener, "127.0.0.1", "0", *words, home.program(server)], env={**home.env, **KNOWN}, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    home.others.append(child)
    home.listener_log = Lines(child.stderr)
    return int(child.stdout.readline())


def family(pid):
    """The programs of a process and of all that descend from it, by the files they are."""
    found = []
    with contextlib.suppress(OSError):
        found.append(os.path.basename(os.readlink(f"/proc/{pid}/exe")))
    return found + [name for child in children(pid) for name in family(child)]


@pytest.mark.parametrize("name", CHAINS)
def test_rule_3_and_9_smtp_behind_other_programs_is_warm(multi, name):
    with_pools(multi)
    port = listen(multi, name, "qmail-smtpd")
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.ehlo("a.example")
        seen = family(multi.others[-1].pid)
        client.sendmail("a@sender.example", ["b@test.example"], "Subject: x\r\n\r\nbody\r\n")
        assert "qmail-smtpd" in seen and not [one for one in seen if one.startswith("python")]
    multi.log.wait("starting delivery")
    if name == "recordio":
        multi.listener_log.wait("> 250 ok")
    multi.stop()


@pytest.mark.parametrize("server", ["qmail-qmtpd", "qmail-qmqpd"])
@pytest.mark.parametrize("name", ["nothing", "softlimit", "recordio"])
def test_rule_3_and_9_so_are_qmtp_and_qmqp(multi, name, server):
    with_pools(multi)
    port = listen(multi, name, server)
    data = {"qmail-qmtpd": qmtp, "qmail-qmqpd": qmqp}[server](recipients=(b"b@test.example",))
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(data[:3])
        seen = wait_for(lambda: (found := family(multi.others[-1].pid)) and server in found and found)
        client.sendall(data[3:])
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as stream:
            said = stream.read()
    assert replies(said)[0].startswith(b"Kok")
    assert not [one for one in seen if one.startswith("python")]
    multi.stop()


def test_rule_1_a_pool_that_goes_leaves_tcpserver_with_cold_starts(multi):
    keepers = with_pools(multi)
    port = listen(multi, "softlimit", "qmail-smtpd")
    multi.stop()
    wait_for(lambda: not any(map(is_alive, keepers)))
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.sendmail("a@sender.example", ["b@test.example"], "Subject: x\r\n\r\nbody\r\n")
        assert [one for one in family(multi.others[-1].pid) if one.startswith("python")]


def test_rule_2_a_pool_for_another_user(multi, tmp_path):
    """As `tcpserver -u vpopmail` needs one."""
    if not shutil.which("tcpserver"):
        pytest.skip("needs tcpserver")
    multi.control(poolservers="2\n")
    who = pwd.getpwnam("nobody")
    child = subprocess.Popen([multi.program("qmail-pool"), "servers", "nobody"], env=multi.env, stdin=subprocess.DEVNULL)
    multi.others.append(child)
    socket_of_it = multi.path / f"run/servers/{who.pw_uid}/socket"
    wait_for(lambda: socket_of_it.exists() and any(map(children, children(child.pid))))
    assert socket_of_it.parent.stat().st_uid == who.pw_uid
    port = multi.listen(prefix=["tcpserver", "-v1RHl0", "-u", str(who.pw_uid), "-g", str(who.pw_gid)])
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.ehlo("a.example")
        seen = family(multi.others[-1].pid)
    assert "qmail-smtpd" in seen and not [one for one in seen if one.startswith("python")]
    child.terminate()
    assert child.wait(PATIENCE) == 0


def test_rule_4_who_listens_is_known_as_the_pools_user(multi):
    """What a peer sees is who a process was when it began to listen: not root."""
    with_pools(multi)
    for path, user in ((f"run/servers/{pwd.getpwnam('qmaild').pw_uid}/socket", "qmaild"), ("run/queue/socket", "qmailq")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(str(multi.path / path))
            seen = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        assert int.from_bytes(seen[4:8], "little") == pwd.getpwnam(user).pw_uid
    assert not [name for name in (multi.path / "queue").rglob("*") if name.is_socket()]


def resident(pid):
    """KiB of memory of a process, where what several share counts for each with his share; and all that descend from it."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE).group(1)) + sum(map(resident, children(pid)))


def test_rule_13_a_home_at_rest_needs_little_memory(multi):
    with_pools(multi)
    assert resident(multi.daemon.pid) < MOST * 9 // 10
    multi.stop()


@pytest.mark.parametrize(("name", "kind", "user"), [("qmail-pool-servers", "servers", "qmaild"), ("qmail-pool-queue", "queue", "qmailq")])
def test_rule_14_run_scripts_for_hosts_whose_qmail_start_is_not_ours(multi, name, kind, user):
    """What daemontools, runit and systemd start: one process, that logs to its standard output, and ends with TERM."""
    multi.control(poolservers="2\n", poolqueue="2\n")
    unit = (multi.path / f"boot/systemd/{name}.service").read_text()
    script = re.search("^ExecStart=(.*)$", unit, re.MULTILINE).group(1)
    child = subprocess.Popen([script], env={"PATH": "/bin", "STRAY": "1"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    multi.others.append(child)
    uid = pwd.getpwnam(user).pw_uid
    folder = multi.path / "run" / (kind if kind == "queue" else f"{kind}/{uid}")
    wait_for(lambda: (folder / "socket").exists() and any(map(children, children(child.pid))))
    assert pathlib.Path(f"/proc/{child.pid}").stat().st_uid == uid
    again = subprocess.run([script], env={}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert (again.returncode, again.stdout) == (100, f"qmail-pool: {kind}: another one is running\n")
    child.terminate()
    assert (child.wait(PATIENCE), child.stdout.read()) == (0, b"")
    assert not (folder / "socket").exists()
