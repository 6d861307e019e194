"""TLS of an SMTP session: what is loaded, what a handshake brings about, what is told."""

import os
import threading

import pytest
from OpenSSL import SSL

from qmailpy.home import Home
from qmailpy.serve.smtp_tls import SmtpTls
from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.tls import Layer
from tests.checkout import LittleHome
from tests.pki import Authority
from tests.smtp.world import values


@pytest.fixture(scope="module")
def authority():
    return Authority()


class Ends:
    """A connection of ours, and a client's descriptors."""

    def __init__(self):
        self.all = source, self.say, self.hear, target = [*os.pipe(), *os.pipe()]
        self.connection = Connection(source, target, 5)

    def client(self, shown=None):
        """A client's handshake in a thread; the thread, and its layer."""
        context = SSL.Context(SSL.TLS_METHOD)
        if shown:
            context.use_certificate(shown.certificate)
            context.use_privatekey(shown.private)
        session = SSL.Connection(context, None)
        session.set_connect_state()
        layer = Layer(session, self.hear, self.say)
        thread = threading.Thread(target=layer.handshake, args=(5,))
        thread.start()
        return thread, layer


@pytest.fixture
def ends():
    found = Ends()
    yield found
    for end in found.all:
        try:
            os.close(end)
        except OSError:
            pass


@pytest.fixture
def told():
    return []


@pytest.fixture
def home(tmp_path, authority):
    found = LittleHome(tmp_path)
    found.control(**{"servercert.pem": authority.issue("mx", dns=["mx.example"]).pem, "clientca.pem": authority.cert})
    return found


def tls(home, told, env=None, **given):
    return SmtpTls(Home(str(home.path)), values(**given), env or {"TCPREMOTEIP": "192.0.2.7"}, told.append)


def test_a_client_without_certificate(home, ends, told):
    one = tls(home, told, clientca_pem=True, tlsclients=frozenset())
    assert one.prepare() == ""
    thread, client = ends.client()
    found = one.start(ends.connection)
    thread.join()
    assert (found.cipher, found.shown, found.trouble, found.addresses) == (b"TLS_AES_256_GCM_SHA384", False, "", ())
    ends.connection.say(b"250 hello\r\n")
    ends.connection.flush()
    assert client.read(100, 5) == b"250 hello\r\n"
    assert told == []


@pytest.mark.parametrize(("given", "shown"), [
    ({"clientca_pem": True, "tlsclients": frozenset()}, True), ({"clientca_pem": True}, False), ({"tlsclients": frozenset()}, False),
])
def test_clients_are_asked_where_it_can_matter(home, ends, told, authority, given, shown):
    one = tls(home, told, **given)
    assert one.prepare() == ""
    thread, _ = ends.client(authority.issue("bob", email="bob@x.example"))
    found = one.start(ends.connection)
    thread.join()
    assert (found.shown, found.trouble, found.addresses) == ((True, "", (b"bob@x.example",)) if shown else (False, "", ()))


def test_an_expired_revocation_list_is_told(home, ends, told, authority):
    home.control(**{"clientcrl.pem": authority.crl(-1)})
    one = tls(home, told, clientca_pem=True, tlsclients=frozenset(), clientcrl_pem=True)
    assert one.prepare() == ""
    thread, _ = ends.client(authority.issue("bob"))
    assert one.start(ends.connection).trouble == "CRL has expired"
    thread.join()
    assert told == [b"tls: no client certificate is good: CRL has expired"]


def test_ciphers_are_those_that_are_named(home, ends, told):
    one = tls(home, told, tlsserverciphers=[b"TLS_CHACHA20_POLY1305_SHA256", b"HIGH"])
    assert one.prepare() == ""
    thread, _ = ends.client()
    assert one.start(ends.connection).cipher == b"TLS_CHACHA20_POLY1305_SHA256"
    thread.join()


def test_no_certificate(home, told):
    (home.path / "control/servercert.pem").write_text("nonsense\n")
    assert tls(home, told).prepare() == "servercert.pem cannot be used: no certificate in it"
    assert told == [b"tls: servercert.pem cannot be used: no certificate in it"]


@pytest.mark.parametrize(("said", "closed", "why"), [
    (b"EHLO x\r\n", False, b"tls: handshake with 192.0.2.7 failed: "), (b"", True, b"tls: handshake with 192.0.2.7 failed: the client has gone"),
    (b"\x16\x03", False, b"tls: handshake with 192.0.2.7 failed: timed out"),
])
def test_a_handshake_that_fails(home, ends, told, said, closed, why):
    one = tls(home, told)
    assert one.prepare() == ""
    ends.connection.timeout = 0.1 if b"timed" in why else 5
    ends.connection.say(b"220 ready for tls\r\n")
    os.write(ends.say, said)
    if closed:
        os.close(ends.say)
    assert one.start(ends.connection) is None
    assert len(told) == 1
    assert told[0].startswith(why)
    assert os.read(ends.hear, 100) == b"220 ready for tls\r\n"
    ends.connection.say(b"421 in clear\r\n")
    with pytest.raises(Gone):
        ends.connection.flush()


def test_the_listener_does_it(ends, told, tmp_path):
    home = LittleHome(tmp_path)  # without any certificate
    control, ask = os.pipe()
    read, say = os.pipe()
    hear, write = os.pipe()
    one = tls(home, told, {"UCSPITLS": "", "SSLCTLFD": str(ask), "SSLREADFD": str(read), "SSLWRITEFD": str(write)})
    assert one.prepare() == ""
    ends.connection.say(b"220 ready for tls\r\n")
    assert one.start(ends.connection).cipher == b""
    assert os.read(control, 10) == b"y"
    assert os.read(ends.hear, 100) == b"220 ready for tls\r\n"
    os.write(say, b"EHLO x")
    assert ends.connection.read() == b"EHLO x"
    ends.connection.say(b"250 ok")
    ends.connection.flush()
    assert os.read(hear, 10) == b"250 ok"
    assert told == []
    for end in (control, ask, read, say, hear, write):
        os.close(end)


def test_a_listener_that_cannot_do_it(ends, told, home):
    one = tls(home, told, {"UCSPITLS": "", "SSLCTLFD": "999", "SSLREADFD": "999", "SSLWRITEFD": "999"})
    assert one.prepare() == ""
    assert one.start(ends.connection) is None
    assert told == [b"tls: the listener cannot do it: file descriptor not open"]
