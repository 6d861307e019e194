"""The units that setup installs: their sandbox, its measure, and that qmail works within it."""

import os
import pathlib
import pwd
import smtplib
import socket
import ssl
import subprocess

import pytest

from qmailpy.install import hier
from tests.end_to_end.test_multi_user import JOE, joe  # noqa: F401
from tests.home import Lines, messages, wait_for
from tests.pki import Authority
from tests.pools import children
from tests.units import Unit, need_systemd

# What makes a mount namespace: a pool and those whom it serves must live in the same one (qmail-pool(8)).
MOUNTS = {"BindPaths", "BindReadOnlyPaths", "InaccessiblePaths", "NoExecPaths", "PrivateDevices", "PrivateIPC", "PrivateMounts", "PrivateTmp", "ProcSubset",
          "ProtectControlGroups", "ProtectHome", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "ReadOnlyPaths",
          "ReadWritePaths", "RootDirectory", "RootImage", "TemporaryFileSystem", "ExecPaths", "MountAPIVFS", "MountFlags", "RuntimeDirectory", "StateDirectory"}
APART = {"PrivateNetwork", "PrivateUsers", "NetworkNamespacePath", "JoinsNamespaceOf", "User", "DynamicUser"}
POOLED = [name for name in hier.SERVICES if name != "qmail-pop3d"]
ALL = {"CapabilityBoundingSet", "LockPersonality", "ProtectHostname", "RestrictAddressFamilies", "RestrictRealtime", "SystemCallErrorNumber", "SystemCallFilter"}
# Of all but qmail-send's, which runs what users have in .qmail files.
STRICT = {"MemoryDenyWriteExecute", "ProtectClock", "RestrictNamespaces", "SystemCallArchitectures"}
OWN = {"qmail-pool-queue": {"IPAddressDeny", "DevicePolicy", "UMask"}, "qmail-pool-servers": {"DevicePolicy", "UMask"}, "qmail-send": {"UMask"},
       "qmail-smtpd": {"DevicePolicy"}, "qmail-qmtpd": {"DevicePolicy"}, "qmail-qmqpd": {"DevicePolicy"},
       "qmail-pop3d": {"PrivateDevices", "PrivateTmp", "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "UMask"}}
BOUNDS = {"qmail-pool-queue": 4.2, "qmail-pool-servers": 4.8, "qmail-pop3d": 3.5, "qmail-qmqpd": 4.6, "qmail-qmtpd": 4.6, "qmail-send": 6.6, "qmail-smtpd": 4.7}


def unit(home, name):
    return Unit(home / f"boot/systemd/{name}.service")


@pytest.mark.parametrize("name", hier.SERVICES)
def test_each_unit_has_its_sandbox(installed_single, name):
    lines = unit(installed_single, name).lines
    running = {"ExecStart", "ExecReload", "KillMode", "TimeoutStopSec", "Restart", "RestartPreventExitStatus"}
    assert set(lines) - running == ALL | OWN[name] | (STRICT if name != "qmail-send" else set())
    assert not [value for value in lines.values() if value in ("no", "")]
    capabilities = set(lines["CapabilityBoundingSet"].split())
    assert {"CAP_SETUID", "CAP_SETGID"} <= capabilities
    assert ("CAP_NET_BIND_SERVICE" in capabilities) == (name not in ("qmail-send", "qmail-pool-servers", "qmail-pool-queue"))
    assert not capabilities & {"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_MODULE", "CAP_MKNOD", "CAP_SETPCAP"}


@pytest.mark.parametrize("name", POOLED)
def test_no_unit_lives_where_a_pool_does_not(installed_single, name):
    assert not (MOUNTS | APART) & set(unit(installed_single, name).lines)


@pytest.mark.parametrize("name", hier.SERVICES)
def test_systemd_understands_each_unit_and_finds_it_this_safe(installed_single, name, tmp_path):
    tool, path = need_systemd(), tmp_path / f"{name}.service"
    path.write_text((installed_single / f"boot/systemd/{name}.service").read_text())
    said = subprocess.run([tool, "verify", "--man=no", path], capture_output=True, text=True)
    assert not [line for line in said.stderr.splitlines() if path.name in line]
    told = subprocess.run([tool, "security", "--offline=true", "--no-pager", path], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if "unrecognized option" in told.stderr:
        pytest.skip("needs a systemd-analyze that works offline (systemd 250)")
    (last,) = [line for line in told.stdout.splitlines() if "Overall exposure level" in line]
    score = float(last.split(": ")[1].split()[0])
    print(f"{name}: exposure {score} of 10")
    assert score <= BOUNDS[name]


@pytest.fixture
def start(multi):
    """Starts programs as their units let them live, and ends them."""
    started = []

    def begin(name, *argv):
        child = subprocess.Popen(argv, env=multi.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT if name == "qmail-send" else subprocess.PIPE,
                                 preexec_fn=unit(multi.path, name).confine())
        started.append(child)
        return child

    yield begin
    for child in reversed(started):
        child.terminate()
        child.wait(30)


def secured(home):
    certificate = home.path / "control/servercert.pem"
    certificate.write_text(Authority().issue("mx.test.example").pem)
    certificate.chmod(0o640)
    os.chown(certificate, pwd.getpwnam("qmaild").pw_uid, home.path.stat().st_gid)
    home.control(tlssmtpext="1\n", tlssmtpint="1\n", poolservers="3\n", poolqueue="3\n")


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


@pytest.mark.parametrize("pools", ["of qmail-start", "of their own units", "none"])
def test_mail_comes_in_by_tls_and_is_delivered_within_the_sandboxes(multi, joe, start, pools):  # noqa: F811
    secured(multi)
    if pools == "none":
        multi.control(poolservers="0\n", poolqueue="0\n")
    keepers = []
    if pools == "of their own units":
        keepers = [start(f"qmail-pool-{kind}", multi.program("qmail-pool"), kind).pid for kind in ("servers", "queue")]
        wait_for(lambda: len(list((multi.path / "run").rglob("socket"))) == 2)
    (joe / ".qmail-run").write_text("|cat > got\n./Maildir/\n")
    send = start("qmail-send", multi.program("qmail-start"), "./Maildir/")
    multi.log = Lines(send.stdout)
    multi.log.wait("status: local 0/")
    if pools == "of qmail-start":
        wait_for(lambda: len(list((multi.path / "run").rglob("socket"))) == 2)
    daemon = pwd.getpwnam("qmaild")
    listener = start("qmail-smtpd", multi.program("qmail-tcpserver"), "-1vRHl0", "-u", str(daemon.pw_uid), "-g", str(daemon.pw_gid), "127.0.0.1", "0", multi.program("qmail-smtpd"))
    log = Lines(listener.stderr)
    with smtplib.SMTP("127.0.0.1", int(listener.stdout.readline())) as client:
        client.starttls(context=context())
        client.sendmail("a@sender.example", ["joe-run@test.example"], "Subject: x\n\ntext\n")
        worker = int(log.wait(r"pid (\d+) from").group(1))
        status = pathlib.Path(f"/proc/{worker}/status").read_text()
        assert ("\nName:\tqmail-pool\n" in "\n" + status) == (pools != "none")
        assert "Seccomp:\t2" in status and "NoNewPrivs:\t0" in status
    multi.log.wait("end msg")
    assert len(messages(joe / "Maildir")) == 1
    assert (joe / "got").read_text().endswith("text\n")
    assert (joe / "got").stat().st_uid == JOE
    for keeper in keepers:
        assert children(keeper)


def test_pop3_by_tls_within_its_sandbox(multi, joe, start):  # noqa: F811
    from tests.end_to_end.test_privileges import CHECKPASSWORD
    secured(multi)
    check = joe.parent / "checkpassword"
    check.write_text(CHECKPASSWORD)
    check.chmod(0o755)
    listener = start("qmail-pop3d", multi.program("qmail-tcpserver"), "-1RHl0", "127.0.0.1", "0", multi.program("qmail-popup"), "mx", str(check), multi.program("qmail-pop3d"), "Maildir")
    Lines(listener.stderr)
    with socket.create_connection(("127.0.0.1", int(listener.stdout.readline())), 30) as plain:
        assert plain.recv(200).startswith(b"+OK")
        plain.sendall(b"STLS\r\n")
        assert plain.recv(200).startswith(b"+OK")
        with context().wrap_socket(plain) as client:
            for line in (b"USER joe\r\n", b"PASS x\r\n", b"STAT\r\n"):
                client.sendall(line)
                said = client.recv(200)
                assert said.startswith(b"+OK"), said
            assert said == b"+OK 0 0\r\n"


def test_what_a_sandbox_keeps_away(multi, start):
    """That the tests above would notice: a packet socket, a mount, writable code, another capability."""
    code = """
import ctypes, mmap, os, socket
for what in (lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW), lambda: os.chroot("/"),
             lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)):
    try:
        what()
        print("done")
    except OSError as problem:
        print(problem.errno)
"""
    said = start("qmail-smtpd", "/usr/bin/env", "python3", "-IS", "-c", code).communicate()[0].split()
    assert said[:2] == [b"97", b"1"]
    assert said[2] in (b"1", b"13") or [int(part) for part in os.uname().release.split(".")[:2]] < [6, 3]
