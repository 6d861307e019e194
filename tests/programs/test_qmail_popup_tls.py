"""qmail-popup with STLS and POP3S on a real connection: the login and the maildrop behind it, and who is kept out."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess

import pytest

from tests.checkout import LittleHome
from tests.onwire import PATIENCE, Client, Server
from tests.pki import Authority

CHECK = "#!/bin/sh\ntest \"$(tr '\\000' '|' <&3 | cut -d'|' -f1,2)\" = 'bob|secret' && exec \"$@\"\nexit 1\n"
MESSAGE = "Subject: x\n\n.dot\nbody\n"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def home(tmp_path, authority):
    found = LittleHome(tmp_path)
    found.control(**{"servercert.pem": authority.issue("pop.example", dns=["pop.example"]).pem})
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    (tmp_path / "Maildir/new/1000.1.mx").write_text(MESSAGE)
    os.utime(tmp_path / "Maildir/new/1000.1.mx", (1000, 1000))
    # As root, checkpassword would become the user; these tests have no other one, and qmail-pop3d wants none but root.
    found.check = found.program("check", CHECK)
    found.drop = found.program("drop", "#!/bin/sh\nprintf '+OK drop\\r\\n'; exec sed -u -n 's/^/you said /p;/QUIT/q'\n")
    return found


def popup(home, *command, **env):
    return Server(home, "qmail-popup", "pop.example", *(command or (str(home.check), str(home.drop))), **env)


def stls(client, **how):
    """Past the handshake."""
    client.hear_line()
    client.line.sendall(b"STLS\r\n")
    assert client.hear_line() == "+OK begin TLS now"
    return client.tls(**how)


def ask(client, line):
    """The first line of the answer."""
    client.line.sendall(line.encode() + b"\r\n")
    return client.hear_line()


@pytest.mark.parametrize("way", ["STLS", "POP3S"])
def test_a_login_and_what_is_behind_it(home, authority, way):
    with popup(home, **({"POP3S": ""} if way == "POP3S" else {})) as server, Client(server.port) as client:
        if way == "STLS":
            stls(client, authority=authority.cert, name="pop.example")
        else:
            client.tls(authority=authority.cert, name="pop.example")
            assert client.hear_line().startswith("+OK <")
        assert ask(client, "USER bob") == "+OK "
        assert ask(client, "PASS secret") == "+OK drop"
        assert ask(client, "STAT") == "you said STAT"
        assert ask(client, "QUIT") == "you said QUIT"
        assert client.line.recv(100) == b""  # a proper end of TLS
        assert server.exit() == 1
    assert server.said() == ""


def test_what_is_said_behind_the_password_is_for_the_maildrop(home):
    with popup(home) as server, Client(server.port) as client:
        stls(client)
        client.line.sendall(b"USER bob\r\nPASS secret\r\nSTAT\r\nQUIT\r\n")
        assert [client.hear_line() for _ in range(4)] == ["+OK ", "+OK drop", "you said STAT", "you said QUIT"]
        assert server.exit() == 1


def test_the_greetings_stamp_stays_the_same_for_apop(home):
    show = home.program("show", "#!/bin/sh\nprintf '%s\\r\\n' \"$(tr '\\000' '|' <&3)\"\n")
    with popup(home, str(show), "x") as server, Client(server.port) as client:
        stamp = client.hear_line()[4:]
        client.line.sendall(b"STLS\r\n")
        client.hear_line()
        client.tls()
        assert ask(client, "APOP bob 0f") == f"bob|0f|{stamp}|"


def test_a_wrong_password_ends_the_connection(home):
    with popup(home) as server, Client(server.port) as client:
        stls(client)
        assert ask(client, "USER bob") == "+OK "
        assert ask(client, "PASS guess") == "-ERR authorization failed"
        assert client.line.recv(100) == b""
        assert server.exit() == 1
    assert "guess" not in server.said()


def test_clear_login_as_ever(home):
    with popup(home) as server, Client(server.port) as client:
        client.hear_line()
        assert ask(client, "USER bob") == "+OK "
        assert ask(client, "PASS secret") == "+OK drop"
        assert server.children


def test_what_was_sent_in_clear_behind_stls_is_not_obeyed(home):
    with popup(home) as server, Client(server.port) as client:
        client.hear_line()
        client.line.sendall(b"STLS\r\nUSER bob\r\nPASS secret\r\n")
        assert client.hear_line() == "+OK begin TLS now"
        assert server.exit() == 1
        assert "drop" not in client.hear_line()
    assert server.said().startswith("qmail-popup: tls: handshake failed: ")


def test_a_user_named_in_clear_is_forgotten(home):
    with popup(home) as server, Client(server.port) as client:
        client.hear_line()
        assert ask(client, "USER bob") == "+OK "
        client.line.sendall(b"STLS\r\n")
        client.hear_line()
        client.tls()
        assert ask(client, "PASS secret") == "-ERR USER first"


@pytest.mark.parametrize("way", ["STLS", "POP3S"])
@pytest.mark.parametrize("said", [b"", b"USER bob\r\nPASS secret\r\n", b"\x16\x03\x01\xff\xff"])
def test_a_client_that_gives_up_in_the_handshake(home, way, said):
    with popup(home, **({"POP3S": ""} if way == "POP3S" else {})) as server, Client(server.port) as client:
        if way == "STLS":
            client.hear_line()
            ask(client, "STLS")
        client.line.sendall(said)
        client.line.shutdown(socket.SHUT_WR)
        heard = b""
        with contextlib.suppress(ConnectionError):
            while data := client.line.recv(100):
                heard += data
        assert heard[:1] in (b"", b"\x15")
        assert server.exit() == 1


@pytest.mark.parametrize("break_it", [lambda home: (home.path / "control/servercert.pem").unlink(), lambda home: home.control(**{"servercert.pem": "nonsense\n"})])
def test_pop3s_never_speaks_in_clear(home, break_it):
    break_it(home)
    with popup(home, POP3S="1") as server, Client(server.port) as client:
        assert client.line.recv(100) == b""
        assert server.exit() == 1
    with Server(home, "qmail-popup", POP3S="1") as server, Client(server.port) as client:  # nor of missing arguments
        assert client.line.recv(100) == b""


def test_a_certificate_that_cannot_be_used(home):
    home.control(**{"servercert.pem": "nonsense\n"})
    with popup(home) as server, Client(server.port) as client:
        client.hear_line()
        assert ask(client, "STLS") == "-ERR TLS is not available now"
        assert ask(client, "USER bob") == "+OK "
        assert ask(client, "PASS secret") == "+OK drop"
    assert server.said() == "qmail-popup: tls: servercert.pem cannot be used: no certificate in it\n"


def test_a_maildrop_in_tls(home):
    """The whole chain, with the real qmail-pop3d, as a user who is not root."""
    if os.getuid() == 0:
        for folder, _, names in os.walk(home.path / "Maildir"):
            for name in ["", *names]:
                os.chown(os.path.join(folder, name), pwd.getpwnam("nobody").pw_uid, -1)
        for place in [home.path, *home.path.parents][:4]:
            place.chmod(place.stat().st_mode | 0o055)
        become = ["setpriv", "--reuid", "nobody", "--clear-groups"]
        if shutil.which("setpriv") is None:
            pytest.skip("there is no setpriv")
    else:
        become = []
    with popup(home, str(home.check), *become, str(home.link("qmail-pop3d")), str(home.path / "Maildir")) as server, Client(server.port) as client:
        stls(client)
        for line, answer in (("USER bob", "+OK "), ("PASS secret", "+OK "), ("STAT", f"+OK 1 {len(MESSAGE)}")):
            assert ask(client, line) == answer, server.said()
        assert [ask(client, "RETR 1"), *(client.hear_line() for _ in range(6))] == ["+OK ", "Subject: x", "", "..dot", "body", "", "."]
        assert ask(client, "DELE 1").startswith("+OK")
        client.line.sendall(b"QUIT\r\n")
        assert server.exit() == 1
    assert list((home.path / "Maildir/new").iterdir()) == []


def test_curl(home, tmp_path, authority):
    """A client by others, which logs in by APOP, with both ways, against a program that lets everybody see one message."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    drop = home.program("one", "#!/bin/sh\ncat <&3 > /dev/null\nprintf '+OK\\r\\n'\nwhile read -r line; do case $line in RETR*) printf '+OK\\r\\nhello\\r\\n.\\r\\n';; QUIT*) printf '+OK\\r\\n'; exit;; "
                               "*) printf '+OK\\r\\n';; esac; done\n")
    (tmp_path / "ca.pem").write_text(authority.cert)
    for scheme, env in (("pop3", {}), ("pop3s", {"POP3S": "1"})):
        with popup(home, str(drop), "x", **env) as server:
            command = ["curl", "-sS", "--ssl-reqd", "--cacert", str(tmp_path / "ca.pem"), "--connect-to", f"pop.example:{server.port}:127.0.0.1:{server.port}",
                       "--user", "bob:secret", f"{scheme}://pop.example:{server.port}/1"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr + server.said()
