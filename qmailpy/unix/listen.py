"""Listening for TCP connections, IPv4 and IPv6, and what can be found out about a client."""

from __future__ import annotations

import errno
import socket
import time

from qmailpy.unix.fds import TimedOut, wait_readable
from qmailpy.unix.ipme import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IDENT = 113
IDENT_LIMIT = 999  # bytes of an answer (RFC 1413)
ANY = ("0", "")


class Peer:
    """One accepted connection: the socket, and (address, port) of both ends, IPv4 where IPv6 only maps it."""

    __slots__ = ("connection", "remote", "local")

    def __init__(self, connection: socket.socket, remote: tuple[str, int], local: tuple[str, int]) -> None:
        self.connection, self.remote, self.local = connection, remote, local

    def fileno(self) -> int:
        """The connection's descriptor."""
        return self.connection.fileno()

    def close(self) -> None:
        """Let go of it."""
        self.connection.close()


def end(address: Any) -> tuple[str, int]:
    """(address, port) of one end of a connection."""
    return canonical(address[0].partition("%")[0]) or address[0], address[1]


def service(name: str) -> int:
    """The number of a TCP port, given as such or by name.  Raises OSError."""
    return int(name) if name.isascii() and name.isdigit() else socket.getservbyname(name, "tcp")


class Listener:
    """A listening socket.  Raises OSError where it cannot be had.

    address  an IP address; "0": all of this host, IPv4 and IPv6
    """

    def __init__(self, address: str, port: int, backlog: int) -> None:
        self._socket = self._bound(address, port)
        self._socket.listen(backlog)
        self._socket.setblocking(False)

    @staticmethod
    def _bound(address: str, port: int) -> socket.socket:
        families = [socket.AF_INET6, socket.AF_INET] if address in ANY else [socket.AF_INET6 if ":" in address else socket.AF_INET]
        for family in families:
            try:
                opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address in ANY else 1)
                opened.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port) if address in ANY else (address, port))
            except OSError:
                if family == families[-1]:
                    raise
                continue
            return opened
        raise AssertionError("not reached")

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._socket.getsockname()[1])

    def accept(self) -> Peer | None:
        """The next connection; None if there is none after all.  Raises OSError if there can be none now."""
        try:
            connection, remote = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return None
        connection.setblocking(True)
        try:
            return Peer(connection, end(remote), end(connection.getsockname()))
        except OSError:
            connection.close()
            return None

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


def tune(connection: int, *, delay: bool, keep_options: bool) -> None:
    """Set what tcpserver sets of a connection: TCP_NODELAY, and IP options that the client has sent are removed."""
    opened = socket.socket(fileno=connection)
    try:
        if not delay:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not keep_options and opened.family == socket.AF_INET:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"")
    except OSError:
        pass
    finally:
        opened.detach()


def ends(fd: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """(address, port) of this and of the other end of the TCP connection on a descriptor.  Raises OSError if it is none."""
    opened = socket.socket(fileno=fd)
    try:
        if opened.family not in (socket.AF_INET, socket.AF_INET6):
            raise OSError(errno.EAFNOSUPPORT, "no TCP connection")
        return end(opened.getsockname()), end(opened.getpeername())
    finally:
        opened.detach()


def ident(local: tuple[str, int], remote: tuple[str, int], seconds: float) -> bytes | None:
    """Whom the client's host calls the owner of the connection (RFC 1413); None if it says nothing in so many seconds."""
    end = time.monotonic() + seconds
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as asked:
            asked.settimeout(seconds)
            asked.bind((local[0], 0))
            asked.connect((remote[0], IDENT))
            asked.sendall(b"%d , %d\r\n" % (remote[1], local[1]))
            answer = b""
            while b"\n" not in answer and len(answer) < IDENT_LIMIT:
                wait_readable(asked.fileno(), end - time.monotonic())
                data = asked.recv(IDENT_LIMIT)
                if not data:
                    break
                answer += data
    except (OSError, TimedOut):
        return None
    return ident_user(answer)


def ident_user(answer: bytes) -> bytes | None:
    """The user in an answer, PORTS : USERID : SYSTEM : USER, without blanks and what follows a NUL, which no variable can hold."""
    fields = answer.partition(b"\n")[0].split(b":", 3)
    if len(fields) < 4 or fields[1].strip() != b"USERID":
        return None
    return fields[3].partition(b"\0")[0].translate(None, b" \t\r") or None
