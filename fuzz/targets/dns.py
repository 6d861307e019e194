"""Bytes of a DNS server (unix/resolver.py, with dnspython below), and where mail goes by them (remote/connect.py).

- The input is packets, each behind its length in two bytes; each is an answer without its id; when there are no more, the server is silent.
- Nothing is raised but Permanent and Temporary, by qmail-remote's search Failed; and there are at most 8 questions to a search of one kind.
- There are at most 32 exchangers, the most preferred ones, 64 addresses of a host, 64 addresses to try; addresses are ones.
- Names of clients are printable, without blanks.
"""

from __future__ import annotations

import contextlib

from dns import query as transport
from dns.exception import Timeout

from qmailpy.exits import Permanent, Temporary
from qmailpy.remote.connect import hops
from qmailpy.remote.report import Failed
from qmailpy.remote.route import Target
from qmailpy.text.ip import packed
from qmailpy.unix.resolver import ADDRESSES, CHAIN_LIMIT, EXCHANGERS, PATIENCE, Resolver

from fuzz.promise import promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = (b"\x81\x80\0\x01\0\x01\0\0\0\0", b"\x83\x80", b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c", b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07",
         b"\xc0\x0c\0\x05\0\x01",
         b"\x01x\x07example\0\0\x0f\0\x01", b"\x01x\x07example\0\0\x01\0\x01", b"\xc0\x0c", b"\xc0\xff", b"\0\0\x29\x04\xd0", b"\0\x1c\0\x01",
         b"\0\x10\0\x01", b"\0\x0c\0\x01")
LONGEST = 2048


class Line:
    """What a server says, to all questions of one look-up."""

    def __init__(self, data: bytes) -> None:
        self.questions = 0
        self._packets: list[bytes] = []
        while len(data) > 2:
            size = int.from_bytes(data[:2], "big")
            self._packets.append(data[2:2 + size])
            data = data[2 + size:]

    def next(self) -> bytes | None:
        """The next packet."""
        return self._packets.pop(0) if self._packets else None


class Socket:
    """In the place of a socket: each question gets the next packet, by UDP or TCP."""

    def __init__(self, line: Line, family: int, kind: int) -> None:
        self.family, self.type = family, kind
        self._line = line
        self._id, self._answer = b"", list[bytes]()
        self._rest = b""

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def setblocking(self, flag: bool) -> None:
        pass

    def close(self) -> None:
        pass

    def connect_ex(self, address: object) -> int:
        return 0

    def fileno(self) -> int:
        return -1

    def sendto(self, data: bytes, address: object) -> int:
        self._line.questions += 1
        packet = self._line.next()
        if packet is not None:
            self._answer.append(data[:2] + packet)
        return len(data)

    def send(self, data: bytes) -> int:
        packet = self._line.next()
        if packet is not None:
            self._rest = (2 + len(packet)).to_bytes(2, "big") + data[2:4] + packet
        return len(data)

    def recvfrom(self, most: int) -> tuple[bytes, tuple[str, int]]:
        if not self._answer:
            raise Timeout
        return self._answer.pop(0)[:most], ("127.0.0.1", 53)

    def recv(self, most: int) -> bytes:
        data, self._rest = self._rest[:most], self._rest[most:]
        return data


def check(data: bytes) -> None:
    resolver = Resolver({"DNSCACHEIP": "127.0.0.1"})
    for look, most in ((addresses, 2), (exchangers, 1), (names, 1), (others, 2), (where_to, 1 + 2 * EXCHANGERS)):
        with served(data) as line:
            try:
                look(resolver)
            except (Permanent, Temporary):
                pass
        promise(line.questions <= most * CHAIN_LIMIT * len(PATIENCE), "it asks without end", line.questions)


@contextlib.contextmanager
def served(data: bytes) -> Iterator[Line]:
    """While the block runs, the network is a server that says this."""
    line, kept = Line(data), transport.socket_factory
    transport.socket_factory = lambda family, kind, protocol: Socket(line, family, kind)  # type: ignore[assignment,return-value]
    try:
        yield line
    finally:
        transport.socket_factory = kept


def where_to(resolver: Resolver) -> None:
    try:
        found = hops(Target(b"x.example"), resolver, None, None)
        promise(0 < len(found) <= ADDRESSES and all(packed(hop.address.encode()) for hop in found), "no such hops", len(found))
    except Failed as failed:
        promise(failed.record.endswith(b"\n\0") and failed.record.count(b"\0") == 1, "no such record", failed.record)


def addresses(resolver: Resolver) -> None:
    found = resolver.addresses(b"x.example")
    promise(len(found) <= ADDRESSES and all(packed(address.encode()) for address in found), "no such addresses", found)


def exchangers(resolver: Resolver) -> None:
    found = resolver.exchangers(b"x.example")
    promise(len(found) <= EXCHANGERS and all(name and 0 <= preference < 65536 for preference, name in found), "no such exchangers", found)


def names(resolver: Resolver) -> None:
    promise(all(name and all(32 < byte < 127 for byte in name) for name in resolver.pointers("192.0.2.7")), "no such name")


def others(resolver: Resolver) -> None:
    resolver.text(b"x.example")
    resolver.has(b"x.example", "A", "MX")
