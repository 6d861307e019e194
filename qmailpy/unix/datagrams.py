"""Datagrams on loopback: a port that answers each with another."""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 4096  # bytes of a datagram


class Datagrams:
    """A UDP port of 127.0.0.1.  Raises OSError."""

    __slots__ = ("_socket", "port")

    def __init__(self) -> None:
        self._socket = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    def answer(self, reply: Callable[[bytes], bytes]) -> None:
        """Take a datagram, and send its sender the reply."""
        data, sender = self._socket.recvfrom(MOST)
        self._socket.sendto(reply(data), sender)

    def close(self) -> None:
        """Answer no more."""
        self._socket.close()
