"""A whole connection of qmail-qmtpd (smtp/qmtp.py).

- Nothing is raised but what the netstring reader raises; every reply is a netstring that begins with K, Z or D.
- Each recipient of a message has one reply; a message is queued with exactly those that were answered with K, without CR, LF or NUL in them.
- The pieces change nothing; no queue is left open.
"""

from __future__ import annotations

from qmailpy.smtp.qmtp import QmtpServer
from qmailpy.text.netstring import Ended, Malformed, Reader, TooLong, encoded
from qmailpy.text.received import Client

from fuzz import replies
from fuzz.promise import deliveries, number_of, promise
from fuzz.worlds import World, values

WORDS = (b"0:,", b"1:\n,", b"3:\ra\n,", b"11:a@b.example,", b"18:14:c@ours.example,,", b"0:,", b":", b",", b"\r\n", encoded(b"x" * 1000), b"200000001:",
         encoded(b"\nReceived: x\n\nbody\n") + encoded(b"a@b.example") + encoded(encoded(b"c@ours.example")))


def check(data: bytes) -> None:
    ways = [play(way, number_of(data[:4])) for way in deliveries(data)]
    promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    said, queued, _ = ways[0]
    answers = replies.netstrings(said)
    promise(all(answer[:1] in (b"K", b"Z", b"D") for answer in answers), "no such answer", answers)
    promise(sum(answer.startswith(b"K") for answer in answers) == sum(len(recipients) for _, recipients, _ in queued), "other recipients", answers, queued)


def play(parts: list[bytes], kind: int) -> tuple[bytes, list[tuple[bytes, list[bytes], bytes]], str]:
    """What is said and queued, and how it ended."""
    todo, world, said, end = [part for part in parts if part], World(), list[bytes](), ""
    server = QmtpServer(Reader(lambda: todo.pop(0) if todo else b""), values(rcpthosts=frozenset([b"ours.example"]), databytes=kind % 3 * 20),
                        Client(ip=b"192.0.2.7"),
                        world, b"" if kind & 64 else None)
    try:
        while True:
            said += server.message()
    except (Ended, Malformed, TooLong) as problem:
        end = type(problem).__name__
    promise(world.all_over, "a queue is left open")
    return b"".join(said), world.queued, end
