"""Many sessions that wait, under either listener: those who come next are served at once, and those who wait when they go on."""

import os
import resource
import shutil
import signal
import socket

import pytest

from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import pool  # noqa: F401

COUNT = 2000
DEBIANS = ["tcpserver", "-v1RHl0"]


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 6 * COUNT:
        pytest.skip("the hard limit on descriptors is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (6 * COUNT, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Client:
    """One session."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.lines = self.socket.makefile("rb")
        assert self.lines.readline() == b"220 mx.test.example ESMTP\r\n"

    def ask(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.lines.readline()

    def end(self):
        assert self.ask(b"QUIT") == b"221 mx.test.example\r\n"
        assert self.lines.readline() == b""
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()


@pytest.mark.parametrize("listener", [(), DEBIANS], ids=["ours", "debian's"])
def test_many_sessions_wait_and_others_are_served(single, pool, many_descriptors, listener):  # noqa: F811
    if listener and not shutil.which(listener[0]):
        pytest.skip("there is no tcpserver")
    running = pool(size=20, parking=100)
    port = single.listen("-c", str(COUNT + 100), prefix=listener)
    clients = []
    try:
        for number in range(COUNT):
            clients.append(Client(port))
            assert clients[-1].ask(b"HELO %d.example" % number) == b"250 mx.test.example\r\n"
        (lot,) = running.lots()
        wait_for(lambda: len(os.listdir(f"/proc/{lot}/fd")) > 4 * COUNT * 0.95)  # a few may have found all workers busy, and are cold
        wait_for(lambda: len(running.workers()) <= 4)
        for _ in range(20):
            Client(port).end()
        for client in clients[::7]:
            client.socket.sendall(b"NOOP\r\n")
        for client in clients[::7]:
            assert client.lines.readline() == b"250 ok\r\n"
        for client in clients[:200]:
            client.end()
        for child in single.others:
            child.send_signal(signal.SIGTERM)
            child.wait(PATIENCE)
        assert clients[-1].ask(b"NOOP") == b"250 ok\r\n"  # sessions go on when their listener ends
    finally:
        for client in clients:
            client.close()
