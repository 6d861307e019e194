"""Work behind TLS: everything arrives in both directions, whoever ends first, and nobody waits for ever."""

import os
import threading

import pytest
from OpenSSL import SSL

from qmailpy.unix.connection import Gone
from qmailpy.unix.fds import close_quietly, read_all, write_all
from qmailpy.unix.tls import Layer
from qmailpy.unix.tls_relay import behind_tls
from qmailpy.unix.tls_server import Material, Server
from tests.pki import Authority

QUICK = 0.1


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "servercert.pem"
    path.write_text(Authority().issue("mx").pem)
    return Material(str(path), "/nowhere", [])


class Served:
    """Work behind TLS in a thread; `client` is a client's layer before its handshake, `outcome` what came of the work."""

    def __init__(self, material, work, seconds):
        self.ends = source, say, hear, target = [*os.pipe(), *os.pipe()]
        self.told, self.outcome = [], None
        session = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        session.set_connect_state()
        self.client, self.say, self.hear = Layer(session, hear, say), say, hear
        layer = Server(material, self.told.append).layer(source, target)
        self.thread = threading.Thread(target=self.serve, args=(work, layer, seconds))
        self.thread.start()

    def serve(self, work, layer, seconds):
        self.outcome = behind_tls(work, layer, seconds, None, self.told.append)

    def end(self):
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.outcome


@pytest.fixture
def serve(material):
    """Begin work behind TLS."""
    begun = []

    def begin(work, seconds=20):
        begun.append(Served(material, work, seconds))
        return begun[-1]

    yield begin
    for one in begun:
        one.thread.join(30)
        close_quietly(*one.ends)


def echo():
    """Work: what comes in goes out, until the end."""
    while data := os.read(0, 100):
        write_all(1, data)
    return 7


def heard(layer, size):
    data = b""
    while len(data) < size:
        data += layer.read(100000, 20)
    return data


def test_both_directions_and_the_end(serve):
    one = serve(echo)
    one.client.handshake(20)
    one.client.write(b"hello", 20)
    assert heard(one.client, 5) == b"hello"
    one.client.close()
    assert one.end() == 7
    assert one.told == []


def test_the_child_ends_first(serve):
    one = serve(lambda: write_all(1, b"bye") or 3)
    one.client.handshake(20)
    assert heard(one.client, 3) == b"bye"
    with pytest.raises(Gone):
        one.client.read(1, 20)
    assert one.end() == 3


def test_much_in_both_directions(serve):
    size = 2_000_000
    one = serve(echo)
    one.client.handshake(20)
    for _ in range(size // 50_000):
        piece = os.urandom(50_000)
        one.client.write(piece, 20)
        assert heard(one.client, 50_000) == piece
    one.client.close()
    assert one.end() == 7


def test_a_child_that_says_much_while_it_is_told_much(serve):
    def work():
        write_all(1, b"x" * 1_000_000)
        return len(read_all(0)) // 100_000

    one = serve(work)
    one.client.handshake(20)
    one.client.write(b"y" * 60_000, 20)  # nobody reads that yet
    assert heard(one.client, 1_000_000) == b"x" * 1_000_000
    one.client.write(b"y" * 240_000, 20)
    one.client.close()
    assert one.end() == 3


def test_a_child_that_does_not_listen_may_still_speak(serve):
    def work():
        os.close(0)
        for _ in range(10):
            write_all(1, b"x" * 1000)
        return 0

    one = serve(work)
    one.client.handshake(20)
    one.client.write(b"y" * 10_000, 20)
    assert heard(one.client, 10_000) == b"x" * 10_000
    assert one.end() == 0


def test_a_client_that_is_cut_off(serve):
    one = serve(echo)
    one.client.handshake(20)
    one.client.write(b"hello", 20)
    assert heard(one.client, 5) == b"hello"
    os.close(one.say)
    assert one.end() == 7


@pytest.mark.parametrize("said", [b"QUIT\r\n", b"\x17\x03\x03\x00\x05hello"])
def test_clear_text_in_tls_reaches_no_child(serve, said, tmp_path):
    def work():
        (tmp_path / "heard").write_bytes(read_all(0))
        return 5

    one = serve(work)
    one.client.handshake(20)
    os.write(one.say, said)
    assert one.end() == 5
    assert (tmp_path / "heard").read_bytes() == b""


@pytest.mark.parametrize(("said", "closed", "why"), [
    (b"QUIT\r\n", False, "tls: handshake failed: "), (b"", True, "tls: handshake failed: the client has gone"), (b"", False, "tls: handshake failed: timed out"),
])
def test_no_handshake(serve, said, closed, why, tmp_path):
    def work():
        (tmp_path / "heard").write_bytes(read_all(0))
        return 5

    one = serve(work, QUICK if "timed" in why else 20)
    os.write(one.say, said)
    if closed:
        os.close(one.say)
    assert one.end() == 5
    assert len(one.told) == 1
    assert one.told[0].startswith(why)
    assert (tmp_path / "heard").read_bytes() == b""


def test_silence_of_both_sides(serve):
    one = serve(lambda: len(read_all(0)) + 7, 1)
    one.client.handshake(20)
    assert one.end() == 7


def test_a_client_that_does_not_read(serve):
    def work():
        try:
            write_all(1, b"x" * 10_000_000)
        except OSError:
            return 6
        return 5

    one = serve(work, 1)
    one.client.handshake(20)
    assert one.end() in (6, -13)  # the child is told that nobody listens, or ended by SIGPIPE


def test_what_comes_together_with_the_end_of_the_handshake(serve):
    """A client need not wait before it speaks."""
    one = serve(echo)
    engine, layer = one.client.engine, one.client
    while not engine.handshake():
        if data := engine.take():
            os.write(one.say, data)
        engine.put(os.read(one.hear, 100000))
    engine.encrypt(b"hello")
    os.write(one.say, engine.take())
    layer._open = True
    assert heard(layer, 5) == b"hello"
    layer.close()
    assert one.end() == 7


def test_a_signal_that_ends_the_child(serve):
    one = serve(lambda: os.kill(os.getpid(), 9))
    one.client.handshake(20)
    assert one.end() == -9


def test_no_descriptor_is_left_behind(material):
    before = os.listdir("/proc/self/fd")
    ends = [*os.pipe(), *os.pipe()]
    os.close(ends[1])
    behind_tls(lambda: 0, Server(material, print).layer(ends[0], ends[3]), 1, None, lambda text: None)
    close_quietly(*ends)
    assert os.listdir("/proc/self/fd") == before
