"""qmail-smtpd with TLS and AUTH on a real connection, with clients of several makes, honest and not."""

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from base64 import b64encode

import pytest

from tests.checkout import LittleHome
from tests.onwire import PATIENCE, Client, Server
from tests.pki import Authority, dh_parameters

CHECK = """#!/bin/sh
tr '\\000' '|' <&3 > "$0.given"
case $(cat "$0.given") in
'bob|secret||') exec "$@";;
'bob|'*'|<'*'@mx.example.org>|') exec "$@";;
esac
exit 1
"""
PLAIN = "AUTH PLAIN AGJvYgBzZWNyZXQ="
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
REFUSED = "553 sorry, that domain isn't in my list of allowed rcpthosts"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("mx.example", dns=["mx.example"])


@pytest.fixture
def home(tmp_path, certificate):
    found = LittleHome(tmp_path)
    found.control(**{"me": "mx.example\n", "rcpthosts": "mx.example\n", "servercert.pem": certificate.pem, "tlssmtpext": "1\n", "timeoutsmtpd": "20\n"})
    found.check = found.program("check", CHECK)
    return found


def smtpd(home, *arguments, **env):
    """A server with AUTH, unless the arguments say otherwise."""
    return Server(home, "qmail-smtpd", *(arguments or ("mx.example.org", str(home.check), "true")), **{"AUTHFAILDELAY": "0", **env})


def starttls(client, **how):
    """Past the handshake."""
    client.hear()
    assert client.say("STARTTLS") == "220 ready for tls"
    return client.tls(**how)


def transaction(client, recipient="c@mx.example"):
    """The last reply of a whole message."""
    for line in ("MAIL FROM:<a@b.example>", f"RCPT TO:<{recipient}>", "DATA"):
        reply = client.say(line)
        if reply[0] not in "23":
            return reply
    return client.say("Subject: x\r\n\r\nbody\r\n.")


# Honest clients.

@pytest.mark.parametrize(("version", "name"), [(V12, "TLSv1.2"), (V13, "TLSv1.3")])
def test_a_message_in_tls(home, authority, version, name):
    with smtpd(home) as server, Client(server.port) as client:
        starttls(client, version=version, authority=authority.cert, name="mx.example")
        assert client.line.version() == name
        cipher = client.line.cipher()[0]
        assert "250-STARTTLS" not in client.say("EHLO x")
        assert transaction(client).startswith("250 ok")
        assert client.say("QUIT") == "221 mx.example"
        assert client.line.recv(100) == b""  # a proper end of TLS, else this raises
        assert server.exit() == 0
    message, _ = home.queued()
    assert message.startswith(b"Received: from client.example (HELO x) (192.0.2.7)\n  by unknown with ESMTPS (%s encrypted); " % cipher.encode())
    assert server.said() == ""


def test_smtps(home, authority):
    home.control(tlssmtpext="0\n")
    with smtpd(home, SMTPS="") as server, Client(server.port) as client:
        client.tls(authority=authority.cert, name="mx.example")
        assert client.hear() == ["220 mx.example ESMTP"]
        assert client.say("STARTTLS") == "502 unimplemented (#5.5.1)"
        assert transaction(client).startswith("250 ok")
    assert server.said() == ""


def test_a_user_in_tls(home):
    home.control(secauthext="1\n")
    with smtpd(home) as server, Client(server.port) as client:
        client.hear()
        assert client.say(PLAIN) == "538 auth not available without TLS (#5.3.3)"
        client.say("STARTTLS")
        client.tls()
        client.line.sendall(b"EHLO x\r\n")
        assert "250-AUTH LOGIN CRAM-MD5 PLAIN" in client.hear()
        assert client.say(PLAIN) == "235 ok, go ahead (#2.0.0)"
        assert transaction(client, "c@far.example").startswith("250 ok")
    message, envelope = home.queued()
    assert re.match(rb"Received: from client.example \(HELO x\) \(bob@192.0.2.7\)\n  by unknown with ESMTPSA \(\S+ encrypted, authenticated\); ", message)
    assert envelope == b"Fa@b.example\0Tc@far.example\0\0"
    assert (home.path / "bin/check.given").read_text() == "bob|secret||"
    assert server.said() == ""


def test_large_messages_pass_in_both_directions_of_time(home):
    """Replies in TLS while a megabyte comes in, in records of all sizes."""
    with smtpd(home) as server, Client(server.port) as client:
        starttls(client)
        for line in ("MAIL FROM:<a@b.example>", "RCPT TO:<c@mx.example>", "DATA"):
            client.say(line)
        body = (b"x" * 998 + b"\r\n") * 1000
        at = 0
        for size in [1, 2, 3, 100, 16384, 16385, 100000] * 100:
            client.line.sendall(body[at:at + size])
            at += size
            if at >= len(body):
                break
        assert client.say(".").startswith("250 ok")
        assert server.children
    assert home.queued()[0].endswith(body.replace(b"\r\n", b"\n"))


def test_a_certificate_for_each_name(home, authority):
    (home.path / "control/servercerts").mkdir()
    (home.path / "control/servercerts/other.example.pem").write_text(authority.issue("other.example", dns=["other.example"]).pem)
    with smtpd(home) as server:
        for name in ("mx.example", "other.example"):
            with Client(server.port) as client:
                starttls(client, authority=authority.cert, name=name)
                assert client.say("NOOP") == "250 ok"


def issue(authority, kind):
    return {
        "bob": lambda: authority.issue("bob", email="bob@x.example"), "BOB": lambda: authority.issue("bob", email="BOB@X.example"),
        "other name": lambda: authority.issue("bob", other_email="bob@x.example"), "jim": lambda: authority.issue("jim", email="jim@x.example"),
        "no address": lambda: authority.issue("bob@x.example"), "self-signed": lambda: authority.issue("bob", email="bob@x.example", self_signed=True),
        "rogue": lambda: Authority("Rogue").issue("bob", email="bob@x.example"), "expired": lambda: authority.issue("bob", email="bob@x.example", days=-1),
        "revoked": lambda: authority.revoke(authority.issue("bob", email="bob@x.example")), "none": lambda: None,
    }[kind]()


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(("kind", "heard"), [
    ("bob", "250 ok"), ("BOB", "250 ok"), ("other name", "250 ok"),
    ("jim", REFUSED + "; no valid cert for gatewaying: email address not in my list of tlsclients (#5.7.1)"),
    ("no address", REFUSED + "; no valid cert for gatewaying: contains no email address (#5.7.1)"),
    ("self-signed", REFUSED + "; no valid cert for gatewaying: self-signed certificate (#5.7.1)"),
    ("rogue", REFUSED + "; no valid cert for gatewaying: unable to get local issuer certificate (#5.7.1)"),
    ("expired", REFUSED + "; no valid cert for gatewaying: certificate has expired (#5.7.1)"),
    ("revoked", REFUSED + "; no valid cert for gatewaying: certificate revoked (#5.7.1)"),
    ("none", REFUSED + "; no valid cert for gatewaying (#5.7.1)"),
])
def test_relaying_by_certificate(home, tmp_path, kind, heard, version):
    authority = Authority("Clients")
    issued = issue(authority, kind)
    home.control(**{"clientca.pem": authority.cert, "clientcrl.pem": authority.crl(), "tlsclients": "# who\nbob@X.example \n"})
    shown = None
    if issued:
        shown = tmp_path / "shown.pem"
        shown.write_text(issued.pem)
    with smtpd(home) as server, Client(server.port) as client:
        starttls(client, shown=shown, version=version)
        client.say("MAIL FROM:<a@b.example>")
        assert client.say("RCPT TO:<c@mx.example>") == "250 ok"  # no certificate is needed for that
        assert client.say("RCPT TO:<c@far.example>")[:len(heard)] == heard
        assert client.say("RCPT TO:<d@far.example>")[:len(heard)] == heard
        assert client.say("DATA") == "354 go ahead"
        assert client.say(".").startswith("250 ok")
    message, envelope = home.queued()
    assert (b" encrypted)\n  (cert bob@x.example); " in message.replace(b"BOB@X", b"bob@x")) == (heard == "250 ok")
    assert envelope.count(b"far.example") == 2 * (heard == "250 ok")


def test_programs_are_told_that_a_certificate_lets_the_client_relay(home, authority, tmp_path):
    (tmp_path / "shown.pem").write_text(authority.issue("bob", email="bob@x.example").pem)
    home.control(**{"clientca.pem": authority.cert, "tlsclients": "bob@x.example\n"})
    queue = home.program("queue", "#!/bin/sh\nenv > env; cat > /dev/null; cat <&1 > /dev/null\n")
    with smtpd(home, QMAILQUEUE=str(queue)) as server, Client(server.port) as client:
        starttls(client, shown=tmp_path / "shown.pem")
        assert transaction(client, "c@far.example").startswith("250 ok")
    assert "RELAYCLIENT=\n" in (home.path / "env").read_text()


@pytest.mark.parametrize(("files", "version", "ciphers", "works"), [
    ({}, V12, "DHE-RSA-AES256-GCM-SHA384", False),
    ({"dh2048.pem": 2048}, V12, "DHE-RSA-AES256-GCM-SHA384", "2048"),
    ({"dh1024.pem": 1024}, V12, "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0", False),
    ({"dh1024.pem": 1024, "tlsserverciphers": "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0\n"}, V12, "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0", "1024"),
    ({"dh1024.pem": 1024}, V12, "ECDHE+AESGCM", "X25519"),
])
def test_parameters_for_key_exchange(home, authority, files, version, ciphers, works):
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    home.control(**{"servercert.pem": authority.issue("mx", key=key).pem},
                 **{name: dh_parameters(value) if isinstance(value, int) else value for name, value in files.items()})
    with smtpd(home) as server:
        said = s_client(server.port, "-tls1_2", "-cipher", ciphers, "-groups", "X25519", "-sigalgs", "RSA+SHA256")
    found = re.search(r"Server Temp Key: (?:DH, (\d+)|(\w+))", said)
    assert (found[1] or found[2] if found else False) == works, said


def s_client(port, *options, said="QUIT\n"):
    """What openssl s_client tells of a session with STARTTLS."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-starttls", "smtp", "-crlf", *options]
    done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout + done.stderr


def test_openssl_s_client(home):
    with smtpd(home) as server:
        said = s_client(server.port, "-servername", "mx.example", "-quiet", "-ign_eof", said="EHLO x\nQUIT\n")
        assert "221 mx.example" in said
        assert server.exit() == 0


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_for_who_asks_for_them(home, version):
    with smtpd(home) as server:
        assert "Cipher is (NONE)" in s_client(server.port, version, "-cipher", "ALL:@SECLEVEL=0")
        home.control(tlsserverciphers="ALL:@SECLEVEL=0\n")
        assert "Cipher is (NONE)" not in s_client(server.port, version, "-cipher", "ALL:@SECLEVEL=0")


def test_sessions_are_not_resumed(home, tmp_path):
    with smtpd(home) as server:
        for version in ("-tls1_2", "-tls1_3"):
            s_client(server.port, version, "-sess_out", str(tmp_path / "session"), "-ign_eof")
            assert "Reused" not in s_client(server.port, version, "-sess_in", str(tmp_path / "session"), "-ign_eof")


MAIL = "From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n"


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_curl(home, tmp_path, certificate, authority, scheme, mechanism):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    (tmp_path / "ca.pem").write_text(authority.cert)
    with smtpd(home, **({"SMTPS": "1"} if scheme == "smtps" else {})) as server:
        command = ["curl", "-sS", "--ssl-reqd", "--cacert", str(tmp_path / "ca.pem"), "--connect-to", f"mx.example:{server.port}:127.0.0.1:{server.port}",
                   f"{scheme}://mx.example:{server.port}/client.example", "--mail-from", "a@b.example", "--mail-rcpt", "c@far.example",
                   "--user", "bob:secret", "--login-options", f"AUTH={mechanism}", "-T", "-"]
        done = subprocess.run(command, input=MAIL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr + server.said()
    message, envelope = home.queued()
    assert b"(bob@192.0.2.7)" in message
    assert envelope == b"Fa@b.example\0Tc@far.example\0\0"


@pytest.mark.parametrize("how", [["--tls"], ["--tlsc"], []])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_swaks(home, how, mechanism):
    if shutil.which("swaks") is None:
        pytest.skip("there is no swaks")
    with smtpd(home, **({"SMTPS": "1"} if how == ["--tlsc"] else {})) as server:
        command = ["swaks", "-s", "127.0.0.1", "-p", str(server.port), "-f", "a@b.example", "-t", "c@far.example", "--auth", mechanism, "--auth-user", "bob",
                   "--auth-password", "secret", *how]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if "unavailable" in done.stderr + done.stdout:
        pytest.skip("this swaks cannot do that: " + done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"(bob@192.0.2.7)" in home.queued()[0]


# What is refused, and what is told.

@pytest.mark.parametrize(("arguments", "env", "status", "told"), [
    (("mx.example.org", "{check}", "true"), {}, "235", "warning: AUTH in clear from 192.0.2.7; with secauthext it needs TLS"),
    (("{check}", "true"), {}, "235", "warning: AUTH in clear from 192.0.2.7; with secauthext it needs TLS"),
    (("mx.example.org", "{check}", "false"), {}, "535", None),
    (("mx.example.org", "/nowhere/check", "true"), {}, "454", None),
    (("mx.example.org", "{check}"), {}, "503", "AUTH is off: the arguments are neither `host check sub ...` nor `/path/check sub ...`"),
    (("checkpw", "true"), {}, "503", "AUTH is off: the arguments are neither `host check sub ...` nor `/path/check sub ...`"),
    (("mx.example.org", "{check}", "true"), {"SECAUTHEXT": "1", "TLSSMTPEXT": "0"}, "538",
     "warning: nobody can authenticate: secauthext is set, but TLS is not offered"),
    (("mx.example.org", "{check}", "true"), {"SECAUTHEXT": "1"}, "538", None),
])
def test_forms_of_starting_and_warnings(home, arguments, env, status, told):
    with smtpd(home, *(one.format(check=home.check) for one in arguments), **env) as server, Client(server.port) as client:
        client.hear()
        assert client.say(PLAIN)[:3] == status
        client.say("QUIT")
        server.exit()
    assert server.said() == (f"qmail-smtpd: {told}\n" if told else "")


def test_this_hosts_name_stands_in_challenges_if_the_arguments_have_none(home):
    with smtpd(home, str(home.check), "true") as server, Client(server.port) as client:
        client.hear()
        challenge = client.say("AUTH CRAM-MD5")
    assert re.fullmatch(rb"<\d+\.\d+@mx\.example>", __import__("base64").b64decode(challenge[4:]))


def test_a_refusal_takes_its_time(home):
    home.control(authfaildelay="1\n")
    with Server(home, "qmail-smtpd", "mx.example.org", str(home.check), "false") as server, Client(server.port) as client:
        client.hear()
        begin = time.monotonic()
        client.line.sendall(f"NOOP\r\n{PLAIN}\r\n".encode())
        assert client.hear() == ["250 ok"]
        assert time.monotonic() - begin < 1 + PATIENCE
        assert client.hear() == ["535 authorization failed (#5.7.0)"]
        assert time.monotonic() - begin >= 1


@pytest.mark.parametrize(("content", "why"), [
    (None, None), ("nonsense\n", "servercert.pem cannot be used: no certificate in it"),
])
def test_bad_certificates(home, content, why):
    (home.path / "control/servercert.pem").unlink()
    if content is not None:
        home.control(**{"servercert.pem": content})
    with smtpd(home) as server, Client(server.port) as client:
        client.hear()
        assert client.say("STARTTLS") == (f"454 TLS missing certificate: {why} (#4.3.0)" if why else "502 unimplemented (#5.5.1)")
        assert client.say("NOOP") == "250 ok"
    assert server.said() == (f"qmail-smtpd: tls: {why}\n" if why else "")


@pytest.mark.parametrize("break_it", [
    lambda home: (home.path / "control/servercert.pem").unlink(),
    lambda home: home.control(**{"servercert.pem": "nonsense\n"}),
    lambda home: ((home.path / "control/rcpthosts").unlink(), (home.path / "control/rcpthosts").mkdir()),
])
def test_smtps_never_speaks_in_clear(home, break_it):
    break_it(home)
    with smtpd(home, SMTPS="1") as server, Client(server.port) as client:
        assert client.line.recv(100) == b""
        assert server.exit() == 1


@pytest.mark.parametrize(("words", "told"), [("NO-SUCH-CIPHER\n", "qmail-smtpd: tls: ciphers cannot be used, DEFAULT is: no cipher match\n"), ("HIGH\n", "")])
def test_ciphers_that_cannot_be_used(home, words, told):
    home.control(tlsserverciphers=words)
    with smtpd(home) as server, Client(server.port) as client:
        starttls(client)
        assert client.say("NOOP") == "250 ok"
    assert server.said() == told


@pytest.mark.parametrize(("variable", "name"), [(None, "ECDHE-ECDSA-AES128-GCM-SHA256"), ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384")])
def test_the_variable_takes_the_place_of_the_file(home, variable, name):
    home.control(tlsserverciphers="# strong\nECDHE-RSA-AES256-GCM-SHA384\nECDHE-ECDSA-AES128-GCM-SHA256\n")
    with smtpd(home, **({"TLSCIPHERS": variable} if variable else {})) as server, Client(server.port) as client:
        starttls(client, version=V12)
        assert client.line.cipher()[0] == name


def test_passwords_are_told_nobody(home):
    """Neither accepted nor refused nor broken off: not in the log, not in a message, not in the list of processes or a variable."""
    check = home.program("look", "#!/bin/sh\n(tr '\\000' '\\n' < /proc/$$/environ; tr '\\000' ' ' < /proc/$$/cmdline; tr '\\000' ' ' < /proc/$PPID/cmdline) > seen\nexit $CODE\n")
    for code in ("0", "1", "111"):
        with smtpd(home, "host", str(check), "true", CODE=code) as server, Client(server.port) as client:
            client.hear()
            client.say("AUTH LOGIN")
            client.say("Ym9i")
            client.say("c2VjcmV0")
            client.say("AUTH PLAIN AGJvYgBzZWNyZXQ===")
            transaction(client)
            client.say("QUIT")
            server.exit()
        seen = (home.path / "seen").read_text() + server.said() + home.queued()[0].decode()
        assert not re.search("secret|c2VjcmV0|AGJvYgBzZWNyZXQ", seen)


# Clients that are not honest, or go away.

def test_what_was_sent_in_clear_behind_starttls_is_not_obeyed(home):
    with smtpd(home) as server, Client(server.port) as client:
        client.hear()
        client.line.sendall(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<c@mx.example>\r\nDATA\r\n")
        assert client.hear() == ["220 ready for tls"]
        client.tls()
        assert client.say("RCPT TO:<c@mx.example>") == "503 MAIL first (#5.5.1)"
        assert client.say("QUIT") == "221 mx.example"
    assert home.queued() is None
    assert server.said() == ""


@pytest.mark.parametrize("smtps", [False, True])
@pytest.mark.parametrize("said", [b"MAIL FROM:<a@b.example>\r\n" * 5, b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01" + b"\xff" * 300, b"GET / HTTP/1.0\r\n\r\n", b"\0" * 10])
def test_rubbish_in_the_place_of_a_handshake(home, smtps, said):
    with smtpd(home, **({"SMTPS": "1"} if smtps else {})) as server, Client(server.port) as client:
        if not smtps:
            client.hear()
            client.say("STARTTLS")
        client.line.sendall(said)
        client.line.shutdown(socket.SHUT_WR)
        heard = b""
        with contextlib.suppress(ConnectionError):
            while data := client.line.recv(1000):
                heard += data
        assert heard[:1] in (b"", b"\x15")  # nothing, or an alert
        assert server.exit() == 1
    assert server.said().startswith("qmail-smtpd: tls: handshake with 192.0.2.7 failed: ")
    assert server.said().count("\n") == 1


def raw(client):
    """The socket below TLS."""
    return socket.socket(fileno=os.dup(client.line.fileno()))


def test_clear_text_after_the_handshake_ends_the_session(home):
    with smtpd(home) as server, Client(server.port) as client:
        starttls(client)
        assert client.say("NOOP") == "250 ok"
        with raw(client) as below:
            below.sendall(b"MAIL FROM:<a@b.example>\r\n")
        assert server.exit() == 1
        assert "250" not in client.hear_line()
    assert home.queued() is None


@pytest.mark.parametrize("said", [b"", b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\nDATA\r\nSubject: x\r\n\r\nhalf"])
def test_a_connection_that_is_cut_in_tls_queues_nothing(home, said):
    with smtpd(home) as server, Client(server.port) as client:
        starttls(client)
        if said:
            client.line.sendall(said)
            for _ in range(3):
                client.hear()
        with raw(client) as below:
            below.shutdown(socket.SHUT_WR)  # without a word in TLS
        assert server.exit() == 1
    assert home.queued() is None or home.queued()[1] == b""


@pytest.mark.parametrize(("steps", "heard"), [
    (["STARTTLS"], []),
    (["STARTTLS", b"\x16\x03\x01\x02\x00\x01\x00"], []),
    (["AUTH LOGIN"], ["451 timeout (#4.4.2)"]),
    (["AUTH LOGIN", "Ym9i"], ["451 timeout (#4.4.2)"]),
    (["AUTH PLAIN"], ["451 timeout (#4.4.2)"]),
    (["AUTH CRAM-MD5"], ["451 timeout (#4.4.2)"]),
    ([b"AUTH PL"], ["451 timeout (#4.4.2)"]),
    (["AUTH PLAIN", b"AGJv"], ["451 timeout (#4.4.2)"]),
])
@pytest.mark.parametrize("end", ["silence", "close"])
def test_a_client_that_stops_at_any_step(home, steps, heard, end):
    home.control(timeoutsmtpd="1\n" if end == "silence" else "20\n")
    with smtpd(home) as server, Client(server.port) as client:
        client.hear()
        for step in steps:
            if isinstance(step, bytes):
                client.line.sendall(step)
            else:
                assert client.say(step)[0] in "23"
        if end == "close":
            client.line.shutdown(socket.SHUT_WR)
        begin = time.monotonic()
        assert server.exit() == 1
        assert time.monotonic() - begin < 15
        if end == "silence":
            assert [line for line in [client.hear_line()] if line] == heard
    assert "secret" not in server.said()


def test_silence_in_smtps(home):
    home.control(timeoutsmtpd="1\n")
    with smtpd(home, SMTPS="1") as server, Client(server.port) as client:
        assert client.line.recv(100) == b""
        assert server.exit() == 1
    assert server.said() == "qmail-smtpd: tls: handshake with 192.0.2.7 failed: timed out\n"


def test_a_drip_of_auth_lines_is_cut_off(home):
    home.control(timeoutsmtpd="1\n")
    with smtpd(home) as server, Client(server.port) as client:
        client.hear()
        client.say("AUTH PLAIN")
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            while server.children[0].poll() is None and time.monotonic() < begin + 15:
                client.line.sendall(b"A")
                time.sleep(0.1)  # the drip itself
        assert server.exit() == 1
        assert time.monotonic() < begin + 14


def test_renegotiations_are_refused(home):
    """A client that asks for new handshakes again and again gets none, and cannot keep the server busy."""
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    with smtpd(home) as server, Client(server.port) as client:
        client.hear()
        client.say("STARTTLS")
        client.line.setblocking(True)
        session = SSL.Connection(context, client.line)
        session.set_connect_state()
        session.do_handshake()
        asked = 0
        with contextlib.suppress(SSL.Error, OSError):
            for _ in range(2000):
                session.renegotiate()
                session.do_handshake()
                asked += 1
        assert asked == 0
        client.line.close()
        assert server.exit() == 1


def test_a_flood_of_new_keys_is_cut_off(home):
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    home.control(timeoutsmtpd="300\n")
    with smtpd(home) as server:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-starttls", "smtp", "-tls1_3"]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0)
        try:
            asked = 0
            with contextlib.suppress(BrokenPipeError):
                while asked < 20000 and client.poll() is None:
                    client.stdin.write(b"K\n")  # new keys for both sides
                    while (line := client.stderr.readline()) not in (b"KEYUPDATE\n", b""):
                        pass
                    asked += line != b""
            assert 1000 < asked < 20000
            assert server.exit() == 1
        finally:
            client.kill()
            client.communicate()


def test_a_long_auth_line_is_no_command(home):
    with smtpd(home) as server, Client(server.port) as client:
        client.hear()
        assert client.say("AUTH PLAIN " + b64encode(b"\0bob\0" + b"x" * 6000).decode()) == "501 malformed auth input (#5.5.4)"
        assert client.say("AUTH PLAIN " + "A" * 20000) == "500 line too long (#5.5.2)"
        assert client.say("AUTH PLAIN") == "334 "
        assert client.say("A" * 20000) == "500 line too long (#5.5.2)"
        assert client.say(PLAIN) == "235 ok, go ahead (#2.0.0)"


def test_a_check_program_that_hangs_does_not_hold_the_client_for_ever(home):
    home.control(timeoutsmtpd="1\n")
    with smtpd(home, "host", "sleep", "1000") as server, Client(server.port) as client:
        client.hear()
        assert client.say(PLAIN) == "454 oops, problem with child and I can't auth (#4.3.0)"
        assert client.say("QUIT") == "221 mx.example"


# A listener that does TLS.

def test_a_listener_that_does_tls(home):
    """The program asks for it, then speaks in clear over pipes with the listener."""
    for name in ("servercert.pem", "tlssmtpext"):
        (home.path / "control" / name).unlink()
    (control, ask), (read, say), (hear, write) = os.pipe(), os.pipe(), os.pipe()
    env = {"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder), "UCSPITLS": "", "SSLCTLFD": str(ask), "SSLREADFD": str(read), "SSLWRITEFD": str(write)}
    child = subprocess.Popen(["python3", "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-smtpd", "qmail-smtpd"], env=env, cwd=home.path,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(ask, read, write), bufsize=0)
    for end in (ask, read, write):
        os.close(end)
    assert child.stdout.read(1000) == b"220 mx.example ESMTP\r\n"
    child.stdin.write(b"STARTTLS\r\nNOOP\r\n")
    assert child.stdout.read(1000) == b"220 ready for tls\r\n"
    assert os.read(control, 10) == b"y"
    os.write(say, b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\nDATA\r\n")
    heard = b""
    while not heard.endswith(b"354 go ahead\r\n"):
        heard += os.read(hear, 1000)
    assert b"STARTTLS" not in heard
    os.write(say, b".\r\nQUIT\r\n")
    assert child.wait(PATIENCE) == 0
    assert b" with ESMTPS (encrypted); " in home.queued()[0]
    for end in (control, say, hear):
        os.close(end)
    child.communicate()
