"""Listening, and what is found out about a client."""

import socket
import threading
import time

import pytest

from qmailpy.unix import listen
from qmailpy.unix.listen import Listener, ident, ident_user, service, tune


def accept(listener):
    while (peer := listener.accept()) is None:
        pass
    return peer


def test_ipv4_and_ipv6_on_one_socket_and_mapped_addresses_shown_as_ipv4():
    listener = Listener("0", 0, 20)
    for host in ("127.0.0.1", "::1"):
        try:
            client = socket.create_connection((host, listener.port))
        except OSError:
            pytest.skip("no IPv6 here")
        peer = accept(listener)
        assert peer.remote == (host, client.getsockname()[1])
        assert peer.local == (host, listener.port)
        peer.close()
        client.close()
    listener.close()


def test_one_address_alone():
    listener = Listener("127.0.0.1", 0, 1)
    assert listener.accept() is None
    with pytest.raises(OSError):
        Listener("127.0.0.1", listener.port, 1)
    listener.close()
    with pytest.raises(OSError):
        Listener("192.0.2.1", 0, 1)


def test_ports_by_number_and_name():
    assert (service("2525"), service("smtp")) == (2525, 25)
    with pytest.raises(OSError):
        service("no-such-service")


@pytest.mark.parametrize(("answer", "user"), [
    (b"1 , 2 : USERID : UNIX : joe\r\n", b"joe"), (b"1,2:USERID:UNIX:a:b \r\n", b"a:b"), (b"1 , 2 : ERROR : NO-USER\r\n", None), (b"", None), (b"junk\n", None),
    (b"1,2 : USERID : UNIX : \r\n", None), (b"1,2:USERID:UNIX: a b\tc\r\n", b"abc"), (b"1,2:USERID:UNIX:a\0b\n", b"a"),
])
def test_ident_answers(answer, user):
    assert ident_user(answer) == user


def test_ident_asks_the_clients_host(monkeypatch):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(listen, "IDENT", server.getsockname()[1])

        def answer():
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(100))
                connection.sendall(b"5 , 6 : USERID : UNIX : joe\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert ident(("127.0.0.1", 6), ("127.0.0.1", 5), 10) == b"joe"
        thread.join()
    assert asked == [b"5 , 6\r\n"]
    assert ident(("127.0.0.1", 6), ("127.0.0.1", 5), 1) is None


def test_an_ident_server_that_drips_is_not_waited_for(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(listen, "IDENT", server.getsockname()[1])
        over = threading.Event()

        def drip():
            connection, _ = server.accept()
            with connection:
                while not over.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        begin = time.monotonic()
        assert ident(("127.0.0.1", 6), ("127.0.0.1", 5), 0.2) is None
        assert time.monotonic() < begin + 10
        over.set()
        thread.join()


def test_tuning_leaves_the_descriptor_open():
    one, other = socket.socketpair()
    tune(one.fileno(), delay=False, keep_options=False)
    one.send(b"x")
    assert other.recv(1) == b"x"
    one.close()
    other.close()
