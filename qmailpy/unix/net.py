"""Connections to other hosts, IPv4 and IPv6, with time limits.  Uses _socket: the module socket costs milliseconds at import."""

from __future__ import annotations

import _socket
import errno

from qmailpy.errnotext import wording
from qmailpy.unix.poll import Poll

BLOCK = 65536
PORTS = range(1, 1 << 16)
LONGEST = 2000000  # seconds; sockets can wait little longer


class NoSource(OSError):
    """Connections cannot come from the local address that was asked for."""


class TlsFailed(Exception):
    """There is no TLS with the other side, or it is not who it should be.

    text   says why
    begun  the other side had been asked to begin
    """

    def __init__(self, text: str, begun: bool = True) -> None:
        super().__init__(text)
        self.text, self.begun = text, begun


def trouble(problem: Exception) -> str:
    """What went wrong with a connection, in qmail's words where it has any."""
    number = problem.errno if isinstance(problem, OSError) else None
    return wording(number) if number else str(problem)


class Stream:
    """A TCP connection; every read and write ends within `timeout` seconds.  Raises OSError, TimeoutError among them."""

    __slots__ = ("_socket",)

    def __init__(self, connected: _socket.socket, timeout: float) -> None:
        self._socket = connected
        connected.settimeout(min(timeout, LONGEST))

    def send(self, data: bytes) -> None:
        """Send everything; each piece within the timeout."""
        view = memoryview(data)
        while view:
            view = view[self._socket.send(view[:BLOCK]):]

    def waiting(self) -> bool:
        """Whether there is something to receive, or the end."""
        poll = Poll()
        poll.add(self._socket.fileno())
        return bool(poll.wait(0))

    def receive(self) -> bytes:
        """What comes next; empty at the end."""
        return self._socket.recv(BLOCK)

    def within(self, seconds: float) -> None:
        """From now on every read and write ends within so many seconds.  Raises TimeoutError if there is no time left."""
        if seconds <= 0:
            raise TimeoutError
        self._socket.settimeout(min(seconds, LONGEST))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def family(address: str) -> int:
    """The address family of an IP address."""
    return _socket.AF_INET6 if ":" in address else _socket.AF_INET


def packed(address: str) -> bytes:
    """An IP address as 4 or 16 bytes.  Raises OSError if it is none."""
    return _socket.inet_pton(family(address), address)


def connect(address: str, port: int, seconds: float, timeout: float, source: str = "") -> Stream:
    """Connect to an IP address within `seconds`; later reads and writes have `timeout`.  Raises OSError, NoSource and TimeoutError among them.

    source  the local address to connect from; "": the system's choice
    """
    if port not in PORTS:
        raise OSError(errno.EINVAL, "no such port")
    opened = _socket.socket(family(address), _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        if source:
            bind(opened, source)
        opened.settimeout(min(seconds, LONGEST))
        opened.connect((address, port))
        # The end of a message is a small write behind a large one: it must not wait for the other side's acknowledgement.
        opened.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
    except BaseException:
        opened.close()
        raise
    return Stream(opened, timeout)


def free_port(address: str) -> int:
    """A TCP port on which nobody listens now.  Raises OSError."""
    opened = _socket.socket(family(address), _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        opened.bind((address, 0))
        return int(opened.getsockname()[1])
    finally:
        opened.close()


def bind(opened: _socket.socket, source: str) -> None:
    """Give a socket its local address.  Raises NoSource."""
    try:
        opened.bind((source, 0))
    except OSError as problem:
        raise NoSource(*problem.args) from problem
