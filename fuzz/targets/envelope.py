"""The envelope that qmail-queue is given (queue/put.py, checked), and the records of todo/N (text/envelope.py).

- Nothing is raised but Refused.
- What is taken is F sender, then T recipients, each ended by NUL, and is read back from todo/N as exactly the addresses given; nothing behind the end counts.
- The size of the pieces changes nothing.
"""

from __future__ import annotations

from qmailpy.queue.put import ADDRESS_LIMIT, Refused, checked
from qmailpy.text.envelope import RECIPIENT, SENDER, RecordReader, number, sender_of

from fuzz.promise import deliveries, promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = (b"F", b"T", b"\0T", b"\0\0", b"Fa@b.example\0Tc@d.example\0\0", b"F\0", b"x" * 1002, b"u", b"p", b"9" * 5000)
ENDLESS = 53  # stands for: the end does not come


def check(data: bytes) -> None:
    ways = [taken(way) for way in deliveries(data)]
    promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    if isinstance(ways[0], bytes):
        told = ways[0].split(b"\0")[:-1]
        promise(data.startswith(ways[0] + b"\0"), "another envelope", ways[0])
        promise(told[0][:1] == b"F" and all(one[:1] == b"T" for one in told[1:]) and all(len(one) <= ADDRESS_LIMIT for one in told), "no such envelope", told)
        records = read([ways[0]])
        promise([letter + text for letter, text in records] == ways[0].split(b"\0")[:-1], "it is read back as another one", records)
        promise(records[0][0] == SENDER and all(letter == RECIPIENT for letter, _ in records[1:]), "no such records", records)
        promise(sender_of(ways[0]) == records[0][1], "another sender")
    found = [read(way) for way in deliveries(data)]
    promise(all(one == found[0] for one in found), "records depend on the pieces", *found)
    for _, text in found[0]:
        promise(number(text) >= 0, "no such number", text)


def taken(parts: list[bytes]) -> bytes | int:
    """What goes into todo/N; or qmail-queue's exit code."""
    def blocks() -> Iterator[bytes]:
        yield from parts
        raise Refused(ENDLESS)

    try:
        return b"".join(checked(blocks()))
    except Refused as problem:
        return problem.code


def read(parts: list[bytes]) -> list[tuple[bytes, bytes]]:
    """The records of a file."""
    reader, found = RecordReader(), []
    for part in parts:
        reader.feed(part)
        while (record := reader.next_record()) is not None:
            found.append(record[:2])
    return found
