"""A multi-user home, as root: each process is who it must be, under Debian's tcpserver and softlimit, and signals do what they do in C."""

import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile

import pytest

from tests.dnsserver import DnsServer
from tests.home import PATIENCE, messages, wait_for
from tests.onwire import Client
from tests.pki import Authority
from tests.pools import children

JOE = 54321  # nobody's uid on a usual machine
CHECKPASSWORD = f"""#!{sys.executable} -IS
# Knows joe; anybody else is refused.
import os, sys
if os.read(3, 513).split(b"\\0")[0] != b"joe":
    sys.exit(1)
os.close(3)
os.setgroups([])
os.setgid({JOE})
os.setuid({JOE})
os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/joe")
os.execvp(sys.argv[1], sys.argv[1:])
"""
MAIL = b"From: a@sender.example\r\nTo: joe@test.example\r\nSubject: through\r\n\r\nbody\r\n"


@pytest.fixture
def joe(multi):
    """A user with a home folder and a Maildir of his own; his home folder."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="qmailpy-joe-"))
    place.chmod(0o755)
    folder = place / "joe"
    folder.mkdir(mode=0o755)
    multi.run("maildirmake", str(folder / "Maildir"))
    for found, _, _ in os.walk(folder):
        os.chown(found, JOE, JOE)
    multi.assign(joe=(folder, JOE, JOE))
    yield folder
    shutil.rmtree(place)


@pytest.fixture
def running(multi, joe):
    multi.start()
    return multi


def processes(home):
    """{program: (pid, user)} of the daemons of a home."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = pathlib.Path("/proc", pid, "comm").read_text().strip()
            environ = pathlib.Path("/proc", pid, "environ").read_bytes()
            status = pathlib.Path("/proc", pid, "status").read_text()
        except OSError:
            continue
        if name.startswith("qmail-") and os.fsencode(home.path) in environ:
            uid = int(status.split("\nUid:\t")[1].split()[0])
            found[name] = (int(pid), pwd.getpwuid(uid).pw_name, status.split("\nGroups:\t")[1].split("\n")[0].split())
    return found


def test_each_daemon_is_its_own_user(running):
    found = wait_for(lambda: len(processes(running)) >= 4 and processes(running))
    assert {name: user for name, (_, user, _) in found.items()} == {
        "qmail-send": "qmails", "qmail-lspawn": "root", "qmail-rspawn": "qmailr", "qmail-clean": "qmailq"}


def test_pidof_finds_the_daemon_that_was_started(running):
    told = subprocess.run(["pidof", "qmail-send"], capture_output=True, text=True, check=True).stdout.split()
    assert str(running.daemon.pid) in told


def test_mail_under_tcpserver_and_softlimit(running, joe):
    for tool in ("tcpserver", "softlimit"):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    daemon = pwd.getpwnam("qmaild")
    port = running.listen(prefix=["tcpserver", "-v1RHl0", "-u", str(daemon.pw_uid), "-g", str(daemon.pw_gid)], softlimit=32000000)
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("a@sender.example", ["joe@test.example"], MAIL)
    running.wait_empty()
    [message] = messages(joe / "Maildir")
    assert b" invoked from network); " in message
    assert b" invoked by uid " not in message
    [path] = (joe / "Maildir/new").iterdir()
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) == (JOE, JOE, 0o600) or path.stat().st_mode & 0o777 == 0o644


def test_a_program_in_a_qmail_file_is_the_user_and_nobody_else(running, joe):
    (joe / ".qmail-who").write_text("|id -u > who; id -G >> who; ls /proc/self/fd >> who; grep SigBlk /proc/self/status >> who\n")
    running.run("qmail-inject", "joe-who@test.example", input=b"\n")
    running.log.wait("delivery 1: success")
    uid, groups, *rest = (joe / "who").read_text().split("\n")
    assert (uid, groups) == (str(JOE), str(JOE))
    assert [line for line in rest if line.isdigit()] == ["0", "1", "2", "3"]  # 3 is the folder that ls reads
    assert "SigBlk:\t0000000000000000" in rest


def test_a_user_may_call_qmail_queue_and_his_environment_means_nothing(running, joe):
    def become():
        os.setgroups([])
        os.setgid(JOE)
        os.setuid(JOE)

    evil = joe / "evil"
    evil.mkdir()
    (evil / "sitecustomize.py").write_text("raise SystemExit('hijacked')\n")
    (evil / "pyvenv.cfg").write_text(f"home = {evil}\n")
    envelope_read, envelope_write = os.pipe()
    os.write(envelope_write, b"Fa@sender.example\0Tjoe@test.example\0\0")
    os.close(envelope_write)
    done = subprocess.run([running.program("qmail-queue")], input=b"Subject: mine\n\n", stdout=envelope_read, preexec_fn=become, cwd=evil,
                          env={"PYTHONPATH": str(evil), "PYTHONHOME": str(evil), "PATH": str(evil), "LD_LIBRARY_PATH": str(evil)})
    os.close(envelope_read)
    assert done.returncode == 0
    running.log.wait(f" uid {JOE}$")
    running.wait_empty()
    [message] = messages(joe / "Maildir")
    assert f" invoked by uid {JOE}); ".encode() in message


def test_where_to_listen_is_looked_up_by_nobody_who_is_root(multi):
    """What the DNS says comes from strangers."""
    daemon = pwd.getpwnam("qmaild")
    command = [multi.program("qmail-tcpserver"), "-1RHl0", "-u", str(daemon.pw_uid), "-g", str(daemon.pw_gid), "mx.listen.example", "0", "/bin/echo", "hello"]

    def start(dns):
        return subprocess.Popen(command, env={**multi.env, **dns.env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    with DnsServer({"mx.listen.example": "silent"}) as dns, start(dns) as listener:
        wait_for(lambda: dns.asked)
        (asking,) = children(listener.pid)
        assert pathlib.Path(f"/proc/{asking}/status").read_text().split("\nUid:\t")[1].split()[:4] == [str(daemon.pw_uid)] * 4
        assert not [link for fd in os.listdir(f"/proc/{listener.pid}/fd") if (link := os.readlink(f"/proc/{listener.pid}/fd/{fd}")).startswith("socket:")]
        for pid in (asking, listener.pid):
            os.kill(pid, signal.SIGKILL)
    with DnsServer({"mx.listen.example A": ["127.0.0.1"]}) as dns, start(dns) as listener:
        with socket.create_connection(("127.0.0.1", int(listener.stdout.readline())), PATIENCE) as client:
            assert client.recv(100) == b"hello\n"
        listener.terminate()
    with DnsServer({}) as dns, start(dns) as listener:
        assert listener.communicate(timeout=PATIENCE) == (b"", b"qmail-tcpserver: fatal: no such host\n")
    assert listener.returncode == 111


@pytest.mark.parametrize(("said", "heard"), [
    (b"USER joe\r\nPASS x\r\nSTAT\r\nQUIT\r\n", b"+OK \r\n+OK \r\n+OK 0 0\r\n+OK \r\n"), (b"QUIT\r\n", b"+OK \r\n"), (b"USER joe\r\n", b"+OK \r\n"),
    (b"USER ann\r\nPASS x\r\nSTAT\r\n", b"+OK \r\n-ERR authorization failed\r\n"), (b"x" * 5000 + b"\r\nQUIT\r\n", b"-ERR line too long\r\n+OK \r\n"),
    (b"APOP joe \0\r\nQUIT\r\n", b"+OK \r\n+OK \r\n"), (b"STLS\r\nQUIT\r\n", b"-ERR authorization first\r\n+OK \r\n"),
])
def test_pop3_as_root(multi, joe, said, heard):
    check = joe.parent / "checkpassword"
    check.write_text(CHECKPASSWORD)
    check.chmod(0o755)
    done = subprocess.run([multi.program("qmail-popup"), "mx", check, multi.program("qmail-pop3d"), "Maildir"], input=said, env=multi.env, capture_output=True, timeout=PATIENCE)
    greeting, _, rest = done.stdout.partition(b"\r\n")
    assert greeting.startswith(b"+OK <") and (rest, done.stderr) == (heard, b"")


@pytest.mark.parametrize("way", ["STLS", "POP3S"])
def test_what_speaks_tls_with_strangers_has_no_rights(multi, tmp_path, way):
    """But the program that checks passwords has them still."""
    multi.control(**{"servercert.pem": Authority().issue("pop.example").pem})
    shutil.chown(multi.path / "control/servercert.pem", "qmaild", "qmail")
    (multi.path / "control/servercert.pem").chmod(0o640)
    show = tmp_path / "show"
    show.write_text("#!/bin/sh\ncat <&3 > /dev/null\nprintf '%s %s\\r\\n' \"$(id -u)\" \"$(sed -n 's/^Uid:[\\t ]*//p' /proc/$RELAY/status | tr '\\t' ' ')\"\n")
    show.chmod(0o755)
    command = ("qmail-popup", "pop.example", "/bin/sh", "-c", f"RELAY=$(sed -n 's/^PPid:[\t ]*//p' /proc/$PPID/status) exec {show}")
    with Client(multi.listen(server=command, env={"POP3S": ""} if way == "POP3S" else {})) as client:
        if way == "STLS":
            client.hear_line()
            client.line.sendall(b"STLS\r\n")
            assert client.hear_line() == "+OK begin TLS now"
        client.tls()
        if way == "POP3S":
            client.hear_line()
        client.line.sendall(b"USER bob\r\n")
        client.hear_line()
        client.line.sendall(b"PASS secret\r\n")
        assert client.hear_line() == "0 " + " ".join([str(pwd.getpwnam("qmaild").pw_uid)] * 4)


@pytest.fixture
def debian_place(multi):
    """Debian's packages look for qmail-queue in /var/lib/qmail."""
    for tool in ("dot-forward", "fastforward", "setforward"):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    link = pathlib.Path("/var/lib/qmail/bin/qmail-queue")
    if link.exists() or not link.parent.is_dir():
        pytest.skip(f"{link} is somebody else's, or has no place")
    link.symlink_to(multi.program("qmail-queue"))
    yield
    link.unlink()


def test_dot_forward_and_fastforward(running, joe, debian_place):
    (joe / ".qmail-box").write_text("./Maildir/\n")
    (joe / ".forward").write_text("joe-box@test.example\n")
    (joe / ".qmail-dot").write_text("|dot-forward .forward\n|exit 100\n")
    (joe / ".qmail-fast").write_text("|fastforward forwards.cdb\n")
    subprocess.run(["setforward", "forwards.cdb", "forwards.tmp"], input=b"joe-fast@test.example: joe-box@test.example;\n", cwd=joe, check=True)
    for name in ("forwards.cdb", ".forward"):
        (joe / name).chmod(0o644)
    for name in ("dot", "fast"):
        running.run("qmail-inject", f"joe-{name}@test.example", input=b"Subject: " + name.encode() + b"\n\n")
    running.log.wait("end msg", count=4)
    found = messages(joe / "Maildir")
    assert sorted(message.split(b"Subject: ")[1].split(b"\n")[0] for message in found) == [b"dot", b"fast"]
    assert all(b"\nDelivered-To: joe-" in message for message in found)


def test_hup_alrm_and_term(running, joe):
    (joe / ".qmail-later").write_text("|test -e ready || exit 111\n./Maildir/\n")
    running.run("qmail-inject", "joe-later@test.example", input=b"Subject: later\n\n")
    running.log.wait("delivery 1: deferral: ")
    (joe / "ready").write_text("")
    running.daemon.send_signal(signal.SIGALRM)
    running.log.wait("delivery 2: success: ")
    running.control(locals="")
    running.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: _goes_out(running), lambda: running.log.text())
    daemon = running.daemon
    running.stop()
    assert daemon.returncode == 0
    assert running.log.text().endswith("status: exiting")


def _goes_out(home):
    """Send a message to a domain that was local, until qmail-send has reread the control files."""
    home.run("qmail-inject", "joe@test.example", input=b"\n")
    count = home.log.text().count("starting delivery ")
    wait_for(lambda: home.log.text().count("starting delivery ") >= count)
    return "to remote joe@test.example" in home.log.text()
