"""The second part of a POP3 session: the messages of one maildrop (qmail-pop3d(8), RFC 1939 sections 5 to 7)."""

from __future__ import annotations

from qmailpy.pop3.commands import LINE_TOO_LONG, OK, TOO_MANY, CommandReader, error, okay
from qmailpy.pop3.message import top, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Protocol

    class Maildrop(Protocol):
        """What a session may do with the messages, which are numbered from 0."""

        sizes: list[int]

        def unique(self, number: int) -> bytes:
            """A message's name that lasts."""

        def blocks(self, number: int) -> Iterable[bytes] | None:
            """Its content; None if it cannot be opened."""

        def remove(self, number: int) -> bool:
            """Remove it; whether that went well."""

        def keep(self, number: int) -> None:
            """The session has ended and this one was not deleted."""

DIGITS = b"0123456789"
COMMANDS = 1000000  # of one session


class Refused(Exception):
    """A command that cannot be obeyed; the text says why."""


def leading_number(text: bytes) -> tuple[int, bytes] | None:
    """The number that the leading digits are, and what follows them; None without any."""
    rest = text.lstrip(DIGITS)
    digits = text[:len(text) - len(rest)]
    return (int(digits), rest) if digits else None


class Session:
    """One session.  `over`: it has ended with QUIT, or with too many commands."""

    def __init__(self, maildrop: Maildrop) -> None:
        self.maildrop = maildrop
        self.over = False
        self.deleted: set[int] = set()
        self.last = 0  # the highest number deleted
        self._commands = CommandReader(COMMANDS)
        self._verbs: dict[bytes, Callable[[bytes], Iterable[bytes]]] = {
            b"quit": self._quit, b"stat": self._stat, b"list": self._list, b"uidl": self._uidl, b"dele": self._dele, b"retr": self._top,
            b"rset": self._rset, b"last": self._last, b"top": self._top, b"noop": lambda argument: (OK,),
        }

    def greeting(self) -> bytes:
        """The first line."""
        return OK

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The answers to what the client says, in pieces; a message is read as it is asked for, never held.

        Raises OSError where a message breaks off while it is sent.
        """
        for command in self._commands.feed(data):
            if self._commands.more < 0:
                self.over = True
                yield TOO_MANY
                return
            if command is None:
                yield LINE_TOO_LONG
                continue
            verb, argument = command
            handle = self._verbs.get(verb)
            if handle is None:
                yield error("unimplemented")
                continue
            try:
                yield from handle(argument)
            except Refused as refused:
                yield error(str(refused))
            if self.over:
                return

    def _chosen(self, argument: bytes) -> tuple[int, bytes]:
        """The message that an argument names, and what follows its number.  Raises Refused."""
        found = leading_number(argument)
        if found is None:
            raise Refused("syntax error")
        number, rest = found
        if not number:
            raise Refused("messages are counted from 1")
        if number > len(self.maildrop.sizes):
            raise Refused("not that many messages")
        if number - 1 in self.deleted:
            raise Refused("already deleted")
        return number - 1, rest

    def _stat(self, argument: bytes) -> Iterable[bytes]:
        sizes = self.maildrop.sizes
        return (okay(b"%d %d" % (len(sizes), sum(sizes) - sum(sizes[number] for number in self.deleted))),)

    def _listing(self, argument: bytes, entry: Callable[[int], bytes]) -> Iterator[bytes]:
        """One line, or with no argument one for each message that is not deleted."""
        if argument:
            yield okay(entry(self._chosen(argument)[0]))
            return
        yield OK
        for number in range(len(self.maildrop.sizes)):
            if number not in self.deleted:
                yield entry(number) + b"\r\n"
        yield b".\r\n"

    def _list(self, argument: bytes) -> Iterable[bytes]:
        return self._listing(argument, lambda number: b"%d %d" % (number + 1, self.maildrop.sizes[number]))

    def _uidl(self, argument: bytes) -> Iterable[bytes]:
        return self._listing(argument, lambda number: b"%d %s" % (number + 1, self.maildrop.unique(number)))

    def _dele(self, argument: bytes) -> Iterable[bytes]:
        number, _ = self._chosen(argument)
        self.deleted.add(number)
        self.last = max(self.last, number + 1)
        return (OK,)

    def _rset(self, argument: bytes) -> Iterable[bytes]:
        self.deleted.clear()
        self.last = 0
        return (OK,)

    def _last(self, argument: bytes) -> Iterable[bytes]:
        return (okay(b"%d" % self.last),)

    def _top(self, argument: bytes) -> Iterator[bytes]:
        """RETR and TOP: with a second number only so many lines of the body."""
        number, rest = self._chosen(argument)
        lines = leading_number(rest.lstrip(b" "))
        blocks = self.maildrop.blocks(number)
        if blocks is None:
            raise Refused("unable to open that message")
        yield OK
        yield from wire(blocks if lines is None else top(blocks, lines[0]))

    def _quit(self, argument: bytes) -> Iterator[bytes]:
        for number in range(len(self.maildrop.sizes)):
            if number not in self.deleted:
                self.maildrop.keep(number)
            elif not self.maildrop.remove(number):
                yield error("unable to unlink all deleted messages")
        self.over = True
        yield OK
