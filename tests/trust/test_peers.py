"""Those at the other end who stall, flood, cut, drip, do not read or guess: each costs a bounded time, and none learns what it should not."""

import base64
import os
import socket
import statistics
import subprocess
import threading
import time

import pytest

from qmailpy.exits import Temporary
from qmailpy.programs import qmail_qmqpc
from qmailpy.smtp.server import Session
from qmailpy.text.received import Client as Who
from qmailpy.unix.clamd import Scan
from qmailpy.unix.net import connect
from qmailpy.unix.spool import Spool
from tests.checkout import LittleHome
from tests.dnsserver import DnsServer
from tests.onwire import PATIENCE, Client, Server
from tests.smtp.world import FakeWorld, values
from tests.smtpsink import SmtpSink

MAIL = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\nDATA\r\n"


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    found.control(rcpthosts="ours.example\n")
    return found


class Peer:
    """A server on loopback that does one thing with each connection."""

    def __init__(self, behave):
        self.behave, self.over = behave, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.meet, args=(connection,), daemon=True).start()
        except OSError:
            pass

    def meet(self, connection):
        with connection:
            try:
                self.behave(connection, self.over)
            except OSError:
                pass  # the other side had enough


def stall(connection, over):
    over.wait(60)


def flood(connection, over):
    while not over.is_set():
        connection.sendall(b"x" * 65536)


def flood_of_lines(connection, over):
    while not over.is_set():
        connection.sendall(b"250-x\r\n" * 9000)


def cut(connection, over):
    connection.recv(10)


def reset(connection, over):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def drip(connection, over):
    while not over.wait(0.05):
        connection.sendall(b"2")


def half(connection, over):
    connection.shutdown(socket.SHUT_WR)
    over.wait(60)


BEHAVIOUR = [stall, flood, flood_of_lines, cut, reset, drip, half]


@pytest.mark.parametrize("behave", BEHAVIOUR, ids=lambda one: one.__name__)
def test_a_clamd_that_misbehaves_is_no_verdict(behave):
    begin = time.monotonic()
    with Peer(behave) as peer:
        scan = Scan(b"127.0.0.1:%d" % peer.port, 1)
        for _ in range(40):
            scan.put(b"x" * 65536)
        with pytest.raises(Temporary):
            scan.verdict()
    assert time.monotonic() < begin + PATIENCE


@pytest.mark.parametrize("behave", BEHAVIOUR, ids=lambda one: one.__name__)
def test_a_server_that_misbehaves_lets_mail_wait(home, behave):
    """Towards qmail-remote, and by QMTP."""
    (home.path / "queue/lock").mkdir(parents=True)
    begin = time.monotonic()
    with Peer(behave) as peer:
        for name in ("smtproutes", "qmtproutes"):
            home.control(smtproutes="", qmtproutes="", timeoutremote="1\n")
            home.control(**{name: f":[127.0.0.1]:{peer.port}\n"})
            done = home.run("qmail-remote", "far.example", "s@x.example", "r@far.example", stdin=b"Subject: x\n\n" + b"body\n" * 100000)
            assert done.returncode == 0 and done.stdout.startswith(b"Z") and done.stdout.endswith(b"\n\0"), done
            assert len(done.stdout) < 6000 and done.stderr == b""
    assert time.monotonic() < begin + PATIENCE


@pytest.mark.parametrize("behave", BEHAVIOUR, ids=lambda one: one.__name__)
def test_a_hub_that_misbehaves_leaves_the_mail_with_the_sender(behave, monkeypatch, tmp_path):
    """Towards qmail-qmqpc."""
    monkeypatch.setattr(qmail_qmqpc, "TALK", 1)
    kept = []
    for name in ("message", "envelope"):
        (tmp_path / name).write_bytes(b"x" * (3 << 20))
        kept.append(os.open(tmp_path / name, os.O_RDONLY))
    begin = time.monotonic()
    with Peer(behave) as peer, pytest.raises(qmail_qmqpc.Failed) as failed:
        qmail_qmqpc.offer(connect("127.0.0.1", peer.port, 10, 1), *map(Spool, kept))
    assert failed.value.code == 74 and time.monotonic() < begin + PATIENCE
    for fd in kept:
        os.close(fd)


@pytest.mark.parametrize(("script", "code"), [
    ("exec sleep 600", b"421 "), ("while :; do echo flood; echo flood >&2; done", b"421 "), ("exec yes", b"421 "), ("kill -9 $$", b"421 "), ("exec 0<&- 1>&- 2>&-; exit 100", b"553 "),
    ("printf '250 ok\\r\\n' >&2; printf '250 ok\\r\\n'; exit 100", b"553 "), ("printf 'x' > /proc/$PPID/fd/1; exit 100", b"553 "),
])
def test_a_program_of_rcptcheck_that_stalls_or_floods(home, script, code):
    home.control(timeoutsmtpd="2\n")
    program = home.program("judge", f"#!/bin/sh\n{script}\n")
    with Server(home, "qmail-smtpd", RCPTCHECK=str(program)) as server, Client(server.port) as client:
        client.hear()
        client.line.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\nQUIT\r\n")
        assert client.hear() == ["250 ok"]
        begin = time.monotonic()
        assert client.hear_line().removeprefix("x").encode().startswith(code)
        assert time.monotonic() < begin + 20
        server.exit()


def test_a_client_that_does_not_read(home):
    """Its replies do not fit anywhere any more: it is let go, and nothing is queued."""
    home.control(timeoutsmtpd="1\n")
    with Server(home, "qmail-smtpd") as server, Client(server.port) as client:
        client.line.settimeout(0.2)
        begin = time.monotonic()
        try:
            while time.monotonic() < begin + 20:
                client.line.sendall(b"EHLO c\r\n" * 5000)
        except OSError:  # nobody listens to it either
            pass
        assert server.exit() == 1 and home.queued() is None
    assert "Traceback" not in server.said() and "internal error" not in server.said()


@pytest.mark.parametrize("said", ["", "NOOP\r\n", MAIL, MAIL + "half", MAIL + "whole\r\n.", MAIL + "whole\r\n.\r"])
@pytest.mark.parametrize("how", ["half-close", "close", "reset"])
def test_a_client_that_goes_in_the_middle(home, said, how):
    with Server(home, "qmail-smtpd") as server, Client(server.port) as client:
        client.hear()
        client.line.sendall(said.encode())
        if how == "half-close":
            client.line.shutdown(socket.SHUT_WR)
            rest = b"".join(iter(lambda: client.line.recv(65536), b""))
            assert b" qp " not in rest
        else:
            if how == "reset":
                client.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.line.close()
        assert server.exit() == 1
        assert home.queued() is None or home.queued()[1] == b""
    assert server.said() == ""


def test_a_half_closed_client_that_has_said_all_of_it_is_answered(home):
    with Server(home, "qmail-smtpd") as server, Client(server.port) as client:
        client.line.sendall((MAIL + "whole\r\n.\r\nQUIT\r\n").encode())
        client.line.shutdown(socket.SHUT_WR)
        heard = b"".join(iter(lambda: client.line.recv(65536), b""))
        assert heard.split(b"\r\n")[-3].startswith(b"250 ok ") and server.exit() == 0
    assert home.queued()[1] == b"Fa@b.example\0Tc@ours.example\0\0"


@pytest.mark.parametrize("before", ["", "EHLO c\r\n", "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\n", MAIL])
def test_a_client_that_drips_has_no_more_time_than_a_silent_one(home, before):
    """A command must be whole within timeoutsmtpd; a message that drips goes on until the end of the session."""
    home.control(timeoutsmtpd="1\n", timeoutsession="3\n")
    with Server(home, "qmail-smtpd") as server, Client(server.port) as client:
        client.hear()
        begin = time.monotonic()
        client.line.sendall(before.encode())
        try:
            while time.monotonic() < begin + 20:
                client.line.sendall(b"x")
                time.sleep(0.05)  # the drip itself
        except OSError:
            pass
        assert server.exit() == 1
        assert time.monotonic() < begin + 15
        assert home.queued() is None or home.queued()[1] == b""


def test_a_wrong_password_and_an_unknown_user_are_told_apart_by_nothing():
    """The same replies, the same waits, the same questions; nothing in the log."""
    known, unknown = b"\0joe\0wrong", b"\0nobody\0wrong"
    seen = []
    for credentials in (known, unknown):
        world = FakeWorld(passwords={b"joe\0wrong\0\0": False, b"nobody\0wrong\0\0": False})
        session = Session(values(smtpgreeting=b"mx", authfaildelay=5), Who(b"192.0.2.7"), world, auth_host=b"mx")
        said = b"".join(session.feed(b"AUTH PLAIN " + base64.b64encode(credentials) + b"\r\n"))
        seen.append([word for word, _ in world.done])
        assert said == b"535 authorization failed (#5.7.0)\r\n" and world.paused == [5] and world.logged == []
    assert seen[0] == seen[1]


CHECK = """#!/bin/sh
cat <&3 > /dev/null
exit 1
"""


@pytest.mark.parametrize("door", ["qmail-popup", "qmail-smtpd"])
def test_the_time_of_a_refusal_tells_nothing(home, door):
    """Whatever takes time is the check program's; what is ours is the same for every name and password."""
    check = home.program("check", CHECK)
    home.control(authfaildelay="0\n")

    def refused(name, password):
        plain = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        said = f"USER {name}\r\nPASS {password}\r\n" if door == "qmail-popup" else f"AUTH PLAIN {plain}\r\nQUIT\r\n"
        words = ["pop.example", str(check), "true"] if door == "qmail-popup" else [str(check), "true"]
        begin = time.monotonic()
        done = home.run(door, *words, stdin=said.encode())
        took = time.monotonic() - begin
        assert password.encode() not in done.stdout + done.stderr and name.encode() not in done.stdout + done.stderr
        return took, done.stdout.split(b"\r\n")[1:]

    cases = [("joe", "wrongpassword"), ("nobodyknowsme", "wrongpassword"), ("joe", "w" * 200)]
    times, replies = {case: [] for case in cases}, set()
    for _ in range(8):
        for case in cases:
            took, said = refused(*case)
            times[case].append(took)
            replies.add(tuple(said))
    assert len(replies) == 1
    best = [min(each) for each in times.values()]
    assert max(best) < 2 * min(best), statistics.median(best)


def test_a_proxy_that_takes_starttls_away_gets_no_mail_that_needs_it(home):
    """Neither a host in tlshosts nor a password goes in clear because somebody in between says that there is no TLS."""
    (home.path / "queue/lock").mkdir(parents=True)
    (home.path / "control/tlshosts").mkdir()
    with SmtpSink() as stripped:  # what is left of a server that offers STARTTLS
        home.control(smtproutes=f"far.example:relay.example:{stripped.port} joe secret\n", secauthremote="1\n", tlsremote="1\n", notipme="127.0.0.1\n")
        with DnsServer({"relay.example a": ["127.0.0.1"]}) as dns:
            done = home.run("qmail-remote", "far.example", "s@x.example", "r@far.example", stdin=b"Subject: x\n\n", **dns.env)
            assert done.stdout.startswith(b"Z")
            (home.path / "control/tlshosts/relay.example.pem").write_text("")
            home.control(smtproutes=f"far.example:relay.example:{stripped.port}\n")
            assert home.run("qmail-remote", "far.example", "s@x.example", "r@far.example", stdin=b"Subject: x\n\n", **dns.env).stdout.startswith(b"Z")
        said = b"".join(stripped.commands)
        assert b"MAIL" not in said and b"AUTH" not in said and stripped.messages == []


def test_many_idle_sessions_hold_nobody_else_up(single):
    """The listener's limit is for those who do nothing, too, and behind it there is room again when they go."""
    port = single.listen("-c", "20")
    idle = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(20)]
    for one in idle:
        assert one.recv(100).startswith(b"220 ")
    late = socket.create_connection(("127.0.0.1", port), PATIENCE)
    late.settimeout(0.5)
    with pytest.raises(TimeoutError):
        late.recv(1)
    late.settimeout(PATIENCE)
    idle.pop().close()
    assert late.recv(100).startswith(b"220 ")
    for one in (*idle, late):
        one.close()
    assert subprocess.run([single.program("qmail-qstat")], env=single.env, capture_output=True).returncode == 0
    assert os.listdir(single.path / "queue/todo") == []
