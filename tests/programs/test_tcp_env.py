"""tcp-env as inetd runs it: the accepted connection is descriptors 0 and 1."""

import os
import socket
import subprocess
import threading

import pytest

from tests.checkout import LittleHome
from tests.signalmasks import NONE, masks
from tests.dnsserver import DnsServer

TELL = ("/bin/sh", "-c", "env | grep -E '^(PROTO|TCP)' | sort")
NAMES = {"1.0.0.127.in-addr.arpa ptr": ["Local.Example."]}
BARE = {"1.0.0.127.in-addr.arpa a": ["192.0.2.1"]}  # exists, but has no PTR record


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.fixture
def dns():
    with DnsServer(NAMES) as found:
        yield found


class Inetd:
    """Takes one connection, and runs a program with it; `said` is what the client gets."""

    def __init__(self, home, *words, host="127.0.0.1", **env):
        listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        with listener, socket.create_connection((host, listener.getsockname()[1]), 20) as client, client.makefile("rb") as stream:
            self.port, self.source = listener.getsockname()[1], client.getsockname()[1]
            accepted, _ = listener.accept()
            with accepted:
                child = subprocess.Popen(home.command("tcp-env", *words), stdin=accepted, stdout=accepted, env={"PATH": os.environ["PATH"], **env})
            self.said = stream.read().decode()
            self.status = child.wait(60)
        self.env = dict(line.split("=", 1) for line in self.said.splitlines())


def test_everything_about_a_connection(home, dns):
    ran = Inetd(home, "-R", *TELL, TCPREMOTEINFO="old", TCPREMOTEHOST="old", PROTO="UDP", **dns.env)
    assert ran.env == {"PROTO": "TCP", "TCPLOCALIP": "127.0.0.1", "TCPLOCALPORT": str(ran.port), "TCPLOCALHOST": "local.example",
                       "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": str(ran.source), "TCPREMOTEHOST": "local.example"}
    assert ran.status == 0


@pytest.mark.parametrize(("zone", "name"), [
    ({}, None), (BARE, None), ({"1.0.0.127.in-addr.arpa": "SERVFAIL"}, "softdnserror"), ({"1.0.0.127.in-addr.arpa ptr": ["a\\010b."]}, "a?b"),
])
def test_host_names(home, zone, name):
    with DnsServer(zone) as server:
        env = Inetd(home, "-R", *TELL, TCPREMOTEHOST="old", **server.env).env
    assert (env.get("TCPREMOTEHOST"), env.get("TCPLOCALHOST")) == (name, name)


def test_ipv6(home, dns):
    try:
        ran = Inetd(home, "-R", *TELL, host="::1", **dns.env)
    except OSError:
        pytest.skip("no IPv6 here")
    assert (ran.env["PROTO"], ran.env["TCPREMOTEIP"], ran.env["TCPLOCALIP"]) == ("TCP", "::1", "::1")


@pytest.fixture
def ident():
    """Answers one question of an ident client."""
    try:
        listener = socket.create_server(("127.0.0.1", 113))
    except OSError:
        pytest.skip("port 113 cannot be had here")
    asked = []

    def answer():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            asked.append(connection.recv(100))
            connection.sendall(b"1 , 2 : USERID : UNIX : jo\0hn\r\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield asked
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(20)


@pytest.mark.parametrize(("options", "user"), [
    ((), "jo"), (("-r",), "jo"), (("-Rrt20",), "jo"), (("-R",), None), (("-rR",), None), (("-t", "0"), None), (("-tx",), None), (("-t99999999999999999999",), "jo"),
])
def test_the_clients_host_is_asked_for_the_user(home, dns, ident, options, user):
    ran = Inetd(home, *options, *TELL, **dns.env)
    assert ran.env.get("TCPREMOTEINFO") == user
    if user:
        assert ident == [f"{ran.source} , {ran.port}\r\n".encode()]


def test_under_a_listener_everything_stays_as_it_is(home):
    child = subprocess.run(home.command("tcp-env", *TELL), env={"PATH": os.environ["PATH"], "PROTO": "TCP", "TCPREMOTEIP": "192.0.2.7"}, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=60, check=True)
    assert child.stdout == b"PROTO=TCP\nTCPREMOTEIP=192.0.2.7\n"


def test_no_tcp_connection(home):
    one, other = socket.socketpair()
    with one, other:
        for stdin in (one, subprocess.DEVNULL):
            done = subprocess.run(home.command("tcp-env", "-R", "echo", "x"), stdin=stdin, env={"PATH": os.environ["PATH"]}, capture_output=True, timeout=60)
            assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"")


@pytest.mark.parametrize("words", [(), ("-R",), ("-t",), ("/no/such/program",), ("no-such-program", "x")])
def test_nothing_to_run(home, words):
    done = home.run("tcp-env", *words, PROTO="TCP")
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"")


def test_the_program_gets_its_arguments_and_a_clean_start(home):
    script = 'printf "%s;" "$@"; grep -E "^Sig(Blk|Ign)" /proc/self/status | tr -d "\\t\\n"'
    done = home.run("tcp-env", "-R", "sh", "-c", script, "sh", "-R", "a b", PROTO="TCP")
    assert done.stdout.startswith(b"-R;a b;SigBlk:")
    assert masks(done.stdout) == NONE
