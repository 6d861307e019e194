"""TLS over memory and over pipes: both sides, in pieces, in time, and what breaks it."""

import contextlib
import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.fds import TimedOut
from qmailpy.unix.tls import FRUITLESS, Closed, Engine, Failed, Layer, Verdict, new_context, reason
from tests.pki import Authority

QUICK = 0.05


@pytest.fixture(scope="module")
def certificate():
    return Authority().issue("mx.example", dns=["mx.example"])


def server_context(certificate, words=(), tell=pytest.fail):
    context = new_context(list(words), tell)
    context.use_certificate(certificate.certificate)
    context.use_privatekey(certificate.private)
    return context


def sessions(certificate, client_context=None):
    """The two sides of a session, before the handshake."""
    server, client = SSL.Connection(server_context(certificate), None), SSL.Connection(client_context or SSL.Context(SSL.TLS_METHOD), None)
    server.set_accept_state()
    client.set_connect_state()
    return server, client


def engines(certificate, step=1 << 20):
    """The two sides of a session after the handshake, in memory."""
    server, client = (Engine(session) for session in sessions(certificate))
    done = [False, False]
    while not all(done):
        done = [client.handshake(), server.handshake()]
        carry(client, server, step)
        carry(server, client, step)
    return server, client


def carry(source, target, step=1 << 20):
    data = source.take()
    for at in range(0, len(data), step):
        target.put(data[at:at + step])


def test_both_sides_hear_each_other(certificate):
    server, client = engines(certificate)
    assert server.decrypt() is None
    client.encrypt(b"hello")
    carry(client, server)
    assert server.waits()
    assert server.decrypt(2) == b"he"
    assert server.decrypt() == b"llo"
    assert not server.waits()
    assert server.cipher() == client.cipher() == b"TLS_AES_256_GCM_SHA384"
    client.farewell()
    carry(client, server)
    assert server.waits()
    assert server.decrypt() == b""


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40000), max_size=5), st.integers(1, 5000))
def test_pieces_of_any_size_carry_everything(certificate, said, step):
    server, client = engines(certificate, step)
    heard = b""
    for piece in said:
        client.encrypt(piece)
        carry(client, server, step)
        while (data := server.decrypt()) is not None:
            heard += data
    assert heard == b"".join(said)


def test_data_before_the_handshake_is_never_sent(certificate):
    server, _ = (Engine(session) for session in sessions(certificate))
    with pytest.raises(Failed):
        server.encrypt(b"secret")
    assert b"secret" not in server.take()


def test_what_is_no_tls(certificate):
    server, _ = (Engine(session) for session in sessions(certificate))
    assert not server.handshake()
    server.put(b"MAIL FROM:<a@b.example>\r\n")
    with pytest.raises(Failed, match="."):
        server.handshake()


def test_a_farewell_in_the_handshake(certificate):
    server, _ = (Engine(session) for session in sessions(certificate))
    server.put(b"\x15\x03\x01\x00\x02\x01\x00")
    with pytest.raises(Failed):
        server.handshake()


def test_much_that_leads_to_nothing_is_cut_off(certificate):
    server, client = engines(certificate)
    for _ in range(3):  # data reset the count
        for _ in range(15):
            client.encrypt(b"x" * 16000)
        carry(client, server, 16384)
        while server.decrypt():
            pass
    record = b"\x17\x03\x03\x40\x00" + bytes(1000)
    with pytest.raises(Failed, match="no data"):
        for _ in range(FRUITLESS // len(record) + 1):
            server.put(record)


def test_a_damaged_record(certificate):
    server, client = engines(certificate)
    client.encrypt(b"hello")
    *said, last = client.take()
    server.put(bytes((*said, last ^ 1)))
    with pytest.raises(Failed):
        server.decrypt()


@pytest.mark.parametrize(("version", "works"), [(SSL.TLS1_VERSION, False), (SSL.TLS1_1_VERSION, False), (SSL.TLS1_2_VERSION, True), (SSL.TLS1_3_VERSION, True)])
def test_versions(certificate, version, works):
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    assert hands_shaken(sessions(certificate, context)) == works


def hands_shaken(both):
    """Whether a handshake comes about."""
    server, client = map(Engine, both)
    with contextlib.suppress(Failed):
        for _ in range(5):
            client.handshake()
            carry(client, server)
            server.handshake()
            carry(server, client)
    return client.session.get_cipher_name() is not None and server.session.get_state_string().startswith(b"SSL negotiation finished")


@pytest.mark.parametrize(("words", "first", "told"), [
    ([], "TLS_AES_256_GCM_SHA384", []),
    ([b"TLS_AES_128_GCM_SHA256:TLS_NONE"], "TLS_AES_128_GCM_SHA256", []),
    ([b"ECDHE-RSA-AES256-GCM-SHA384", b"NO-SUCH-CIPHER"], "TLS_AES_256_GCM_SHA384", []),
    ([b"NO-SUCH-CIPHER"], "TLS_AES_256_GCM_SHA384", ["tls: ciphers cannot be used, DEFAULT is: no cipher match"]),
    ([b"TLS_NO_SUCH_CIPHER"], "TLS_AES_256_GCM_SHA384", ["tls: ciphers cannot be used, DEFAULT is: no cipher match"]),
    ([b"\xff\xfe"], "TLS_AES_256_GCM_SHA384", ["tls: ciphers cannot be used, DEFAULT is: invalid command"]),
])
def test_words_for_ciphers(words, first, told):
    heard = []
    assert SSL.Connection(new_context(words, heard.append), None).get_cipher_list()[0] == first
    assert heard == told


def test_old_versions_for_who_asks_for_them(certificate):
    client = SSL.Context(SSL.TLS_METHOD)
    client.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    client.set_max_proto_version(SSL.TLS1_1_VERSION)
    server = SSL.Connection(server_context(certificate, [b"DEFAULT:@SECLEVEL=0"]), None)
    server.set_accept_state()
    other = SSL.Connection(client, None)
    other.set_connect_state()
    assert hands_shaken((server, other))


def test_suites_of_the_newest_version_alone_leave_no_older_one():
    client, server = SSL.Context(SSL.TLS_METHOD), new_context([b"TLS_AES_128_GCM_SHA256"], pytest.fail)
    client.set_max_proto_version(SSL.TLS1_2_VERSION)
    both = SSL.Connection(server, None), SSL.Connection(client, None)
    both[0].set_accept_state()
    both[1].set_connect_state()
    assert not hands_shaken(both)


def test_nothing_of_a_session_is_kept(certificate):
    """A client that brings a session along gets a whole handshake."""
    context, old = SSL.Context(SSL.TLS_METHOD), None
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    server = server_context(certificate)
    for _ in range(2):
        both = SSL.Connection(server, None), SSL.Connection(context, None)
        both[0].set_accept_state()
        both[1].set_connect_state()
        if old is not None:
            both[1].set_session(old)
        assert hands_shaken(both)
        old = both[1].get_session()
        secret = both[1].master_key()
    assert server.get_session_cache_mode() == SSL.SESS_CACHE_OFF
    assert secret != b""


def test_verdicts_let_the_handshake_go_on():
    verdict = Verdict()
    assert verdict(None, None, 0, 1, 1)
    assert verdict.trouble == ""
    assert verdict(None, None, 10, 0, 0)
    assert verdict(None, None, 18, 0, 0)
    assert verdict.trouble == "certificate has expired"
    verdict = Verdict()
    verdict(None, None, 9999, 0, 0)
    assert verdict.trouble == "certificate fault 9999"


@pytest.mark.parametrize(("problem", "words"), [
    (SSL.Error([("a", "b", "c"), ("d", "e", "bad record mac")]), "bad record mac"), (SSL.Error([("a", "b", "")]), "no reason given"),
    (SSL.Error(), "no reason given"), (SSL.SysCallError(-1, "Unexpected EOF"), "the connection broke"),
])
def test_reasons(problem, words):
    assert reason(problem) == words


class Pair:
    """A Layer of ours on pipes, and a client of the library's on the other ends."""

    def __init__(self, certificate):
        self.ends = source, self.say, self.hear, target = [*os.pipe(), *os.pipe()]
        server, client = sessions(certificate)
        self.layer = Layer(server, source, target)
        self.client = Layer(client, self.hear, self.say)

    def shake_hands(self):
        thread = threading.Thread(target=self.client.handshake, args=(5,))
        thread.start()
        self.layer.handshake(5)
        thread.join()
        return self

    def close(self):
        for end in self.ends:
            with contextlib.suppress(OSError):
                os.close(end)


@pytest.fixture
def pair(certificate):
    one = Pair(certificate)
    yield one
    one.close()


def test_a_connection_in_tls(pair):
    pair.shake_hands()
    connection = Connection(pair.layer.below.source, pair.layer.below.target, 5)
    connection.channel = pair.layer
    connection.say(b"220 hello\r\n")
    pair.client.write(b"NOOP\r\n", 5)
    assert connection.channel.ready(5)
    assert connection.read() == b"NOOP\r\n"
    assert pair.client.read(100, 5) == b"220 hello\r\n"
    assert not connection.channel.ready(0)
    connection.close()
    assert pair.client.ready(5)
    with pytest.raises(Gone):
        pair.client.read(100, 5)
    with pytest.raises(Gone):
        connection.read()


def test_large_writes_pass_through_small_pipes(pair):
    pair.shake_hands()
    heard = []

    def listen():
        while sum(map(len, heard)) < 1000000:
            heard.append(pair.client.read(10000, 5))

    thread = threading.Thread(target=listen)
    thread.start()
    pair.layer.write(bytes(range(250)) * 4000, 5)
    thread.join()
    assert b"".join(heard) == bytes(range(250)) * 4000


def test_silence_in_the_handshake(pair):
    with pytest.raises(TimedOut):
        pair.layer.handshake(QUICK)
    for use in (lambda: pair.layer.write(b"x", 1), lambda: pair.layer.read(1, 1)):
        with pytest.raises(Gone):
            use()
    pair.layer.close()
    os.set_blocking(pair.hear, False)
    with pytest.raises(BlockingIOError):
        os.read(pair.hear, 100)


def test_a_drip_in_the_handshake_is_cut_off(pair):
    """Each byte comes in time, all of them do not."""
    stop = threading.Event()

    def drip():
        while not stop.wait(QUICK / 5):
            os.write(pair.say, b"\x16\x03\x01\x20\x00"[:1])

    os.write(pair.say, b"\x16\x03\x01\x3f\x00")
    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(TimedOut):
        pair.layer.handshake(QUICK * 4)
    stop.set()
    thread.join()


@pytest.mark.parametrize(("said", "answer"), [(b"EHLO x\r\n", b""), (b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", b"\x15")])
def test_who_speaks_no_tls_hears_at_most_an_alert(pair, said, answer):
    os.write(pair.say, said)
    with pytest.raises(Failed):
        pair.layer.handshake(5)
    os.close(pair.layer.below.target)
    assert os.read(pair.hear, 100)[:1] == answer
    with pytest.raises(Gone):
        pair.layer.write(b"x", 1)


def test_who_goes_in_the_handshake(pair):
    os.write(pair.say, b"\x16")
    os.close(pair.say)
    with pytest.raises(Gone):
        pair.layer.handshake(5)


def test_who_goes_later(pair):
    pair.shake_hands()
    os.close(pair.say)
    assert pair.layer.ready(5)
    with pytest.raises(Gone):
        pair.layer.read(1, 5)
    os.close(pair.hear)
    with pytest.raises(Gone):
        pair.layer.write(b"x", 5)
    pair.layer.close()


def test_rubbish_after_the_handshake(pair):
    pair.shake_hands()
    os.write(pair.say, b"MAIL FROM:<a@b.example>\r\n")
    with pytest.raises(Failed):
        pair.layer.read(100, 5)
    with pytest.raises(Gone):
        pair.layer.read(100, 5)


def test_silence_and_deafness_after_the_handshake(pair):
    pair.shake_hands()
    with pytest.raises(TimedOut):
        pair.layer.read(1, QUICK)
    with pytest.raises(TimedOut):
        pair.layer.write(b"x" * 200000, QUICK)


def test_closed_is_a_failure():
    assert issubclass(Closed, Failed)
    assert issubclass(Failed, Gone)
