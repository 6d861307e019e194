"""qmail-tcpserver as a process, beside Debian's tcpserver where that is installed."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from qmailpy.unix.cdb import write
from tests.checkout import LittleHome
from tests.dnsserver import DnsServer
from tests.home import Lines

TELL = "env | grep -E '^(PROTO|TCP|RELAY|X)' | sort; ls /proc/$$/fd | tr '\\n' ' '; echo done"


class Listener:
    """A running listener; `theirs`: Debian's."""

    def __init__(self, home, *options, program=("/bin/sh", "-c", TELL), address="127.0.0.1", theirs=False, **env):
        command = ["tcpserver"] if theirs else [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-tcpserver", "qmail-tcpserver"]
        self.child = subprocess.Popen([*command, "-1", *options, address, "0", *program], env={"PATH": os.environ["PATH"], **env}, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.child.stdout.readline())
        self.log = Lines(self.child.stderr)

    def ask(self, host="127.0.0.1"):
        """What a connection says."""
        with socket.create_connection((host, self.port), 20) as client, client.makefile("rb") as stream:
            self.source = client.getsockname()[1]
            return stream.read().decode()

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(20)
        self.child.stdout.close()
        return status


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.fixture
def listen(home):
    started = []

    def start(*options, **how):
        started.append(Listener(home, *options, **how))
        return started[-1]

    yield start
    for one in started:
        one.child.kill()
        one.child.wait()


def plain(text, listener):
    """Text without what differs from run to run."""
    return re.sub(r"\b\d{3,}\b", "N", text.replace(str(listener.port), "PORT").replace(str(listener.source), "SOURCE"))


def by_writer(log):
    """(lines of the listener, lines of its children): each in its order.  Which of the two comes first is decided by nobody, in C neither."""
    lines = log.split("\n")
    ended = [number for number, line in enumerate(lines) if line.startswith("tcpserver: end ")]
    of_child = [number for number, line in enumerate(lines) if re.match(r"tcpserver: (pid|ok|deny) ", line)]
    assert not ended or max(of_child) < min(ended)  # but a child has said everything before its end is told
    return [line for number, line in enumerate(lines) if number not in of_child], [lines[number] for number in of_child]


def test_environment_and_descriptors(listen):
    listener = listen("-RHl0")
    text = listener.ask()
    assert f"TCPREMOTEPORT={listener.source}\n" in text
    assert {"PROTO=TCP", "TCPLOCALIP=127.0.0.1", "TCPLOCALHOST=0", "TCPREMOTEIP=127.0.0.1", f"TCPLOCALPORT={listener.port}"} <= set(text.split("\n"))
    assert "TCPREMOTEHOST" not in text
    assert text.endswith("0 1 2 done\n")
    assert listener.end() == 0


@pytest.mark.parametrize("options", [("-RHl0",), ("-vRHl0",), ("-vRHlname", "-c3"), ("-qRHl0",)])
def test_it_says_what_tcpserver_says(listen, options):
    if not shutil.which("tcpserver"):
        pytest.skip("ucspi-tcp is not installed")
    said = []
    for theirs in (True, False):
        listener = listen(*options, theirs=theirs)
        text = listener.ask()
        if "-v" in options[0]:
            listener.log.wait("status: 0/", count=2)
        said.append((plain(text.partition("0 1 2")[0], listener), by_writer(plain(listener.log.text(), listener))))
    assert said[0] == said[1]


def test_rules(listen, tmp_path):
    rules = str(tmp_path / "rules.cdb")
    write(rules, [(b"127.", b"+RELAYCLIENT=\0+X=y\0"), (b"", b"D\0")])
    assert "\nRELAYCLIENT=\n" in (text := listen("-RHl0", "-x", rules).ask()) and "\nX=y\n" in text
    write(rules, [(b"10.", b""), (b"", b"D\0")])
    listener = listen("-vRHl0", "-x", rules)
    assert listener.ask() == ""
    listener.log.wait(r"tcpserver: deny \d+ 0:127.0.0.1:\d+ :127.0.0.1::\d+$")


def test_missing_or_damaged_rules_drop_the_connection(listen, tmp_path):
    rules = tmp_path / "none.cdb"
    listener = listen("-RHl0", "-x", str(rules))
    assert listener.ask() == ""
    listener.log.wait("tcpserver: warning: dropping connection, unable to read")
    assert "done" in listen("-XRHl0", "-x", str(rules)).ask()
    rules.write_bytes(b"junk")
    assert listen("-XRHl0", "-x", str(rules)).ask() == ""


def test_the_limit_holds_and_others_wait(listen):
    listener = listen("-vRHl0", "-c1", program=("/bin/sh", "-c", "read x; echo done"))
    with socket.create_connection(("127.0.0.1", listener.port)) as first, socket.create_connection(("127.0.0.1", listener.port), 20) as second:
        listener.log.wait("status: 1/1")
        second.sendall(b"x\n")
        first.sendall(b"x\n")
        assert first.recv(10) == b"done\n"
        assert second.recv(10) == b"done\n"
    assert "status: 2/" not in listener.log.text()


def test_host_names_from_the_dns(listen):
    zone = {"1.0.0.127.in-addr.arpa ptr": ["client.example."], "client.example a": ["127.0.0.1"]}
    with DnsServer(zone) as dns:
        assert "\nTCPREMOTEHOST=client.example\n" in listen("-Rpl0", **dns.env).ask()
    with DnsServer({**zone, "client.example a": ["192.0.2.1"]}) as dns:
        assert "TCPREMOTEHOST" not in listen("-Rpl0", **dns.env).ask()
        assert "\nTCPREMOTEHOST=client.example\n" in listen("-Rl0", **dns.env).ask()


def test_a_banner_and_ipv6(listen):
    assert listen("-RHl0", "-B", "hello\r\n").ask().startswith("hello\r\n")
    try:
        text = listen("-RHl0", address="0").ask("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    assert "\nTCPREMOTEIP=::1\n" in text and "\nPROTO=TCP\n" in "\n" + text


def test_a_program_that_is_not_there(listen):
    listener = listen("-vRHl0", program=("/no/such/program",))
    assert listener.ask() == ""
    listener.log.wait("unable to run /no/such/program")
    listener.log.wait(r"end \d+ status 28416")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can drop to another user")
def test_it_drops_root(listen):
    assert listen("-RHl0", "-u", "54321", "-g", "54322", program=("/bin/sh", "-c", "id -u; id -g; id -G")).ask() == "54321\n54322\n54322\n"


def test_bad_calls(home):
    assert home.run("qmail-tcpserver").returncode == 100
    assert home.run("qmail-tcpserver", "-c", "x", "0", "0", "true").returncode == 100
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = home.run("qmail-tcpserver", "127.0.0.1", str(taken.getsockname()[1]), "true")
    assert done.returncode == 111
    assert b"unable to bind: address already used" in done.stderr
