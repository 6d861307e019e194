"""Connections with time limits."""

import socket
import threading

import pytest

from qmailpy.unix.net import NoSource, connect, family, free_port, packed, trouble


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request):
    kind = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        listening = socket.create_server((request.param, 0), family=kind)
    except OSError:
        pytest.skip("no IPv6 here")
    with listening:
        yield listening


def test_talking_both_ways(server):
    address, port = server.getsockname()[:2]

    def echo():
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    stream = connect(address, port, 5, 5)
    data = b"x" * 1000
    assert not stream.waiting()
    stream.send(data)
    got = b""
    while len(got) < len(data):
        got += stream.receive()
    assert not stream.waiting()
    stream.close()
    thread.join()
    assert got == data


def test_a_silent_peer_is_a_timeout(server):
    stream = connect(*server.getsockname()[:2], 5, 0.05)
    with pytest.raises(TimeoutError):
        stream.receive()
    with pytest.raises(TimeoutError):
        for _ in range(1000):
            stream.send(b"x" * 1000000)
    stream.close()


def test_a_limit_for_what_comes_next(server):
    stream = connect(*server.getsockname()[:2], 5, 30)
    stream.within(0.05)
    with pytest.raises(TimeoutError):
        stream.receive()
    for seconds in (0, -1):
        with pytest.raises(TimeoutError):
            stream.within(seconds)
    stream.close()


def test_refused():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        connect("127.0.0.1", port, 5, 5)


def test_a_source_address(server):
    address, port = server.getsockname()[:2]
    source = "127.0.0.9" if address == "127.0.0.1" else "::1"
    stream = connect(address, port, 5, 5, source)
    connection, peer = server.accept()
    assert peer[0] == source
    connection.close()
    stream.close()


def test_addresses():
    assert (family("192.0.2.1"), family("::1")) == (socket.AF_INET, socket.AF_INET6)
    assert packed("192.0.2.1") == bytes([192, 0, 2, 1])
    assert len(packed("::1")) == 16
    with pytest.raises(OSError):
        packed("nonsense")


@pytest.mark.parametrize("port", [0, -1, 65536, 1 << 70])
def test_a_port_that_is_none(port):
    with pytest.raises(OSError, match="port"):
        connect("127.0.0.1", port, 5, 5)


def test_a_free_port_can_be_listened_on():
    port = free_port("127.0.0.1")
    with pytest.raises(ConnectionRefusedError):
        connect("127.0.0.1", port, 5, 5)
    socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("source", ["192.0.2.77", "host", "2001:db8::1"])
def test_a_source_address_that_this_host_does_not_have(server, source):
    with pytest.raises(NoSource):
        connect(*server.getsockname()[:2], 5, 5, source)


@pytest.mark.parametrize(("problem", "words"), [(ConnectionResetError(104, "x"), "connection reset"), (TimeoutError("timed out"), "timed out"), (ValueError("x"), "x")])
def test_trouble_in_words(problem, words):
    assert trouble(problem) == words


def test_any_number_of_seconds_will_do(server):
    stream = connect(*server.getsockname()[:2], 10 ** 19, 10 ** 19)
    stream.within(10 ** 19)
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"x")
        assert stream.receive() == b"x"
    stream.close()
