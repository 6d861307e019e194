"""The second part of a POP3 session (pop3/session.py).

- Nothing is raised; a client that reads as RFC 1939 says finds an answer to each line, and behind each list or message its end.
- Messages are removed only at QUIT, and only those that were deleted and not taken back.
- The pieces change nothing.
"""

from __future__ import annotations

from qmailpy.pop3.session import Session

from fuzz.promise import deliveries, promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WORDS = (b"STAT\r\n", b"LIST\r\n", b"UIDL\r\n", b"RETR 1\r\n", b"DELE 1\r\n", b"DELE 2\r\n", b"TOP 1 0\r\n", b"TOP 1 99999\r\n", b"RSET\r\n", b"LAST\r\n",
         b"QUIT\r\n", b"NOOP\r\n", b"9" * 4000)
LONGEST = 16384
LONG = (b"list", b"uidl", b"retr", b"top")


class Maildrop:
    """Three messages, of which the second has gone."""

    def __init__(self) -> None:
        self._contents = (b"a: 1\n\n.one\ntwo\n..\n", None, b".\r\n.")
        self.sizes = [19, 2, 4]
        self.removed: list[int] = []

    def unique(self, number: int) -> bytes:
        return b"id%d" % number

    def blocks(self, number: int) -> Iterable[bytes] | None:
        content = self._contents[number]
        return None if content is None else [content[:3], content[3:]]

    def remove(self, number: int) -> bool:
        self.removed.append(number)
        return self._contents[number] is not None

    def keep(self, number: int) -> None:
        pass


def check(data: bytes) -> None:
    ways = [play(way) for way in deliveries(data)]
    promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    said, removed, over = ways[0]
    commands = [line.removesuffix(b"\r").partition(b"\0")[0] if len(line) <= 4096 else b"too long" for line in data.split(b"\n")[:-1]]
    deleted: set[int] = set()
    for command in commands:
        verb, _, argument = command.partition(b" ")
        verb, argument = verb.lower(), argument.lstrip(b" ")
        if verb == b"quit":
            promise(over, "QUIT does not end it")
            break
        line, _, said = said.partition(b"\r\n")
        promise(line.startswith((b"+OK ", b"-ERR ")) and not {0, 10, 13} & set(line), "no such answer", line)
        if line.startswith(b"+OK ") and (verb in (b"retr", b"top") or (verb in LONG and not argument)):
            text, end, said = (b"\r\n" + said).partition(b"\r\n.\r\n")
            promise(end != b"" and b"\n" not in text.replace(b"\r\n", b""), "no end", text)
        if line.startswith(b"+OK ") and verb == b"dele":
            digits = argument[:len(argument) - len(argument.lstrip(b"0123456789"))]
            deleted.add(int(digits) - 1)
        if verb == b"rset":
            deleted.clear()
    promise(set(removed) == (deleted if over else set()), "other messages are removed", removed, deleted)


def play(parts: list[bytes]) -> tuple[bytes, list[int], bool]:
    """What is said behind the greeting, what is removed, whether it has ended."""
    maildrop = Maildrop()
    session = Session(maildrop)
    said = list[bytes]()
    for part in parts:
        if session.over:
            break
        said += session.feed(part)
    return b"".join(said), maildrop.removed, session.over
