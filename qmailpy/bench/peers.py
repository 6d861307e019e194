"""Whom filters ask: a DNS server that knows every name, and a clamd that finds nothing, on 127.0.0.1, in a process of their own."""

from __future__ import annotations

import os

from qmailpy.bench.client import HERE
from qmailpy.unix.datagrams import Datagrams
from qmailpy.unix.fds import BLOCK, wait_readable, write_all
from qmailpy.unix.listen import Listener, Peer
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import end, fork_working, pipe

BACKLOG = 128
PATIENCE = 10  # seconds to start and to end
END_OF_STREAM, NOTHING_FOUND = bytes(4), b"stream: OK\0"  # of clamd's INSTREAM
HEADER = 12  # bytes of a DNS message before its question
RESPONSE = b"\x81\x80\0\1"  # a response, recursion available; one question
MX, A = 15, 1
SAME_NAME = b"\xc0\x0c"  # a pointer to the question's name (RFC 1035 section 4.1.4)
DATA = {A: b"\0\4" + bytes((192, 0, 2, 1)), MX: b"\0\4\0\x0a" + SAME_NAME}


class Answering:
    """While its block runs, both are there: `env` leads to the DNS server, `clamd` is the other's address:port."""

    def __init__(self) -> None:
        source, target = pipe()
        self._pid = fork_working(serve, {1: target, 2: 2})
        os.close(target)
        wait_readable(source, PATIENCE)
        dns, clamd = os.read(source, 32).split()
        os.close(source)
        self.env = {"DNSCACHEIP": f"{HERE}:{int(dns)}"}
        self.clamd = f"{HERE}:{int(clamd)}"

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *problem: object) -> None:
        end(self._pid, PATIENCE)


def serve() -> int:
    """Listen, say the ports on descriptor 1, serve for ever."""
    names, listener, poll = Datagrams(), Listener(HERE, 0, BACKLOG), Poll()
    write_all(1, b"%d %d\n" % (names.port, listener.port))
    poll.add(names.fileno())
    poll.add(listener.fileno())
    scans: dict[int, tuple[Peer, bytearray]] = {}
    while True:
        for fd in poll.wait():
            if fd == names.fileno():
                names.answer(answer)
            elif fd not in scans:
                if new := listener.accept():
                    scans[new.fileno()] = new, bytearray()
                    poll.add(new.fileno())
            elif not scan(*scans[fd]):
                poll.drop(fd)
                scans.pop(fd)[0].close()


def answer(question: bytes) -> bytes:
    """A DNS response: the name has an address, and is its own mail exchanger; of other types it has nothing."""
    at = question.index(b"\0", HEADER) + 5
    kind = int.from_bytes(question[at - 4:at - 2], "big")
    records = b"\0\1" if kind in DATA else b"\0\0"
    record = SAME_NAME + question[at - 4:at] + bytes((0, 0, 0, 60)) + DATA[kind] if kind in DATA else b""
    return question[:2] + RESPONSE + records + bytes(4) + question[HEADER:at] + record


def scan(peer: Peer, said: bytearray) -> bool:
    """Take more of a message; whether more of it is to come."""
    try:
        data = peer.connection.recv(BLOCK)
        said += data
        if not said.endswith(END_OF_STREAM):
            return bool(data)
        peer.connection.sendall(NOTHING_FOUND)
    except OSError:
        pass
    return False
