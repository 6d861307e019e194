"""The first part of a POP3 session: until the client has said who it is (qmail-popup(8), RFC 1939 section 4)."""

from __future__ import annotations

from qmailpy.pop3.commands import LINE_TOO_LONG, OK, CommandReader, error, okay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Login:
    """One login.

    challenge    what the greeting shows, for APOP: <pid.seconds@host>
    credentials  (user, password or APOP's digest), once the client has given both
    over         the client said QUIT
    """

    def __init__(self, challenge: bytes) -> None:
        self.challenge = challenge
        self.credentials: tuple[bytes, bytes] | None = None
        self.over = False
        self._user: bytes | None = None
        self._commands = CommandReader()

    def greeting(self) -> bytes:
        """The first line."""
        return okay(self.challenge)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The answers to what the client says, up to QUIT or the credentials."""
        for command in self._commands.feed(data):
            if command is None:
                yield LINE_TOO_LONG
                continue
            yield from self._obey(*command)
            if self.over or self.credentials:
                return

    def _obey(self, verb: bytes, argument: bytes) -> Iterator[bytes]:
        if verb == b"user":
            yield self._take_user(argument)
        elif verb == b"pass":
            if self._user is None:
                yield error("USER first")
            elif not argument:
                yield error("syntax error")
            else:
                self.credentials = self._user, argument
        elif verb == b"apop":
            user, space, digest = argument.partition(b" ")
            if space:
                self.credentials = user, digest
            else:
                yield error("syntax error")
        elif verb in (b"quit", b"noop"):
            self.over = verb == b"quit"
            yield OK
        else:
            yield error("authorization first")

    def _take_user(self, argument: bytes) -> bytes:
        if not argument:
            return error("syntax error")
        self._user = argument
        return OK
