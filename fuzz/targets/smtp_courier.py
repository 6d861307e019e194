"""qmail-remote's side of SMTP, against a server that says anything (smtp/client.py, remote/courier.py, smtp/callback.py).

- Nothing is raised but TooLong within; the records are for each recipient r, h or s, then one of K, Z and D, each with one NUL, at its end.
- K is said only if the last reply to the message was below 400; the message is sent at most once, and after DATA was accepted only.
- What is sent is lines that end in CR LF; the pieces in which replies come change nothing.
- Text of a reply that goes on has no NUL and at most 5000 bytes.
"""

from __future__ import annotations

import os

from qmailpy.remote.courier import Courier
from qmailpy.smtp.callback import dialogue as callback
from qmailpy.smtp.client import REPLY_LIMIT, TEXT_LIMIT, Plan, ReplyReader, TooLong, extensions
from qmailpy.smtp.login_client import Login
from qmailpy.unix.net import Stream, TlsFailed

from fuzz.promise import deliveries, number_of, promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.unix.tls_client import TlsClient

WORDS = (b"220 x\r\n", b"250 ok\r\n", b"250-STARTTLS\r\n", b"250-AUTH LOGIN PLAIN CRAM-MD5\r\n", b"250 SIZE 1\r\n", b"354 go\r\n", b"334 \r\n", b"235 ok\r\n",
         b"421 no\r\n", b"550 no\r\n", b"999 ",
         b"000 ", b"25", b"-", b"\0", b"250-AUTH=", b"503-\n")
MESSAGE = b"Subject: x\n\n.dot\nbody\n"


class Server(Stream):
    """A server that says what it is given, piece by piece, and then hangs up."""

    __slots__ = ("parts", "heard", "closed")

    def __init__(self, parts: list[bytes]) -> None:
        self.parts, self.heard, self.closed = list(parts), list[bytes](), False

    def send(self, data: bytes) -> None:
        self.heard.append(data)

    def receive(self) -> bytes:
        return self.parts.pop(0) if self.parts else b""

    def within(self, seconds: float) -> None:
        """It keeps nobody waiting."""

    def close(self) -> None:
        self.closed = True


def check(data: bytes) -> None:
    if not data:
        return
    kind = number_of(data[:4])
    told = [run(way, kind) for way in deliveries(data)]
    promise(all(one == told[0] for one in told), "it depends on the pieces", *told)
    records, heard = told[0]
    believe(records, heard, 1 + kind % 3)
    read(data)
    ask(data)


def run(parts: list[bytes], kind: int) -> tuple[bytes, bytes]:
    """The records, and what the server was sent."""
    server = Server(parts)
    login = Login(b"me", b"secret") if kind & 16 else None
    courier = Courier(server, "192.0.2.9", blocks, no_tls, timeout=1)
    try:
        outcome = courier.run(Plan(b"me.example", b"s@y.example", [b"r%d@x.example" % at for at in range(1 + kind % 3)], login=login,
                                   tls=("never", "offered", "required")[kind // 32 % 3], demand="x.pem", no_clear="no" if kind & 8 else ""))
    except TlsFailed:
        return b"", b""
    promise(server.closed, "the connection is left open")
    return outcome.records, b"".join(server.heard)


def blocks() -> Iterator[bytes]:
    """The message."""
    yield MESSAGE


def no_tls() -> TlsClient:
    """TLS cannot be had."""
    raise TlsFailed("no TLS here")


def believe(records: bytes, heard: bytes, recipients: int) -> None:
    """What qmail-rspawn will read."""
    if not records:
        return
    promise(records.endswith(b"\0"), "the last record has no end", records)
    *told, last = records.split(b"\0")[:-1]
    promise(len(told) <= recipients and all(one[:1] in (b"r", b"h", b"s") for one in told) and last[:1] in (b"K", b"Z", b"D"), "no such records", records)
    promise(last[:1] != b"K" or (b"\r\nDATA\r\n" in heard and heard.endswith(b".\r\nQUIT\r\n") and b"r" in [one[:1] for one in told]),
            "accepted, but not sent", records)
    promise(heard.count(b"Subject: x") <= 1 and heard.replace(b"\r\n", b"").find(b"\n") < 0, "no such dialogue", heard)


def read(data: bytes) -> None:
    """Replies by themselves."""
    reader = ReplyReader()
    try:
        reader.feed(data)
    except TooLong:
        promise(len(data) > REPLY_LIMIT, "that is not too long")
    while (reply := reader.next_reply()) is not None:
        promise(0 <= reply.code <= 999 and len(reply.text) <= TEXT_LIMIT and b"\0" not in reply.text and b"\r" not in reply.text, "no such reply", reply.text)
        promise(all(keyword == keyword.upper() for keyword in extensions(reply)), "keywords in lower case", reply.text)


def ask(data: bytes) -> None:
    """A mail exchanger that is asked about a sender."""
    reader, steps = ReplyReader(), callback(b"me.example", b"x y@z.example")
    reader.feed(data[:REPLY_LIMIT])
    line = next(steps)
    while (reply := reader.next_reply()) is not None:
        try:
            line = steps.send(reply)
        except StopIteration:
            return
        promise(line.endswith(b"\r\n") and line.count(b"\n") == 1, "no such line", os.fsdecode(line))
