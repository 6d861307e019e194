"""A connection of qmail-qmqpd (smtp/qmtp.py).

- Nothing is raised but what the netstring reader raises; the reply is one netstring that begins with K, Z or D.
- A message is queued only if the reply is K, whole and with all its addresses, none of which has a CR, LF or NUL.
- The pieces change nothing; no queue is left open.
"""

from __future__ import annotations

from qmailpy.smtp.qmtp import qmqp_message
from qmailpy.text.netstring import Ended, Malformed, Reader, TooLong, encoded
from qmailpy.text.received import Client

from fuzz import replies
from fuzz.promise import deliveries, promise
from fuzz.targets.netstrings import simple
from fuzz.worlds import World

WORDS = (b"0:,", b"11:a@b.example,", b"14:c@ours.example,", b":", b",", encoded(b"x" * 1000), b"200000001:", b"99999999999999999999:",
         encoded(b"Subject: x\n\nbody\n"))


def check(data: bytes) -> None:
    for content in (data, encoded(data)):
        ways = [play(way) for way in deliveries(content)]
        promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
        said, queued, _ = ways[0]
        answers = replies.netstrings(said)
        promise(len(answers) <= 1 and all(answer[:1] in (b"K", b"Z", b"D") for answer in answers), "no such answer", answers)
        promise([answer[:1] for answer in answers].count(b"K") == len(queued), "queued, but not said so, or the other way round", answers, queued)
        for sender, recipients, message in queued:
            whole = simple(content, len(content))[0]
            promise(whole is not None and simple(whole, len(whole)) == [message.split(b"\n", 2)[2], sender, *recipients], "another message", whole)


def play(parts: list[bytes]) -> tuple[bytes, list[tuple[bytes, list[bytes], bytes]], str]:
    """What is said and queued, and how it ended."""
    todo, world, said, end = [part for part in parts if part], World(), b"", ""
    try:
        said = qmqp_message(Reader(lambda: todo.pop(0) if todo else b""), Client(ip=b"192.0.2.7"), world)
    except (Ended, Malformed, TooLong) as problem:
        end = type(problem).__name__
    promise(world.all_over, "a queue is left open")
    return said, world.queued, end
