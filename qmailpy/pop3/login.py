"""The first part of a POP3 session: until the client has said who it is (qmail-popup(8), RFC 1939 section 4)."""

from __future__ import annotations

from qmailpy.pop3.commands import LINE_TOO_LONG, OK, TOO_MANY, CommandReader, error, okay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMANDS = 1000  # before the login
TLS = b"tls"
CAPABILITIES = (b"TOP", b"USER", b"UIDL", b"IMPLEMENTATION qmailpy")  # RFC 2449


class Login:
    """One login.

    challenge    what the greeting shows, for APOP: <pid.seconds@host>
    secure       whether the session is within TLS
    greeted      whether the client has heard the greeting
    prepare      gets ready for TLS and says whether that went well; None: there is no TLS, and nobody hears of CAPA or STLS
    credentials  (user, password or APOP's digest), once the client has given both
    over         nothing more is to be said: the client said QUIT, or STLS, or too much
    wants_tls    the client has been told to begin TLS (RFC 2595 section 4)
    """

    def __init__(self, challenge: bytes, prepare: Callable[[], bool] | None = None, *, secure: bool = False, greeted: bool = False) -> None:
        self.challenge, self.prepare, self.secure, self.greeted = challenge, prepare, secure, greeted
        self.credentials: tuple[bytes, bytes] | None = None
        self.wants_tls = self.over = False
        self._user: bytes | None = None
        self._commands = CommandReader(COMMANDS)

    def greeting(self) -> bytes:
        """The first line; nothing if the client has heard it."""
        return b"" if self.greeted else okay(self.challenge)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The answers to what the client says, up to QUIT, STLS or the credentials."""
        for command in self._commands.feed(data):
            if self._commands.more < 0:
                self.over = True
                yield TOO_MANY
                return
            if command is None:
                yield LINE_TOO_LONG
                continue
            yield from self._obey(*command)
            if self.over or self.credentials:
                return

    def outcome(self) -> bytes:
        """What has come of it, for `recall` in another process: nothing, TLS, or the credentials, in which there is no NUL."""
        return b"\0".join(self.credentials) if self.credentials else TLS if self.wants_tls else b""

    def recall(self, outcome: bytes) -> None:
        """Be as the login whose outcome this is."""
        user, ended, password = outcome.partition(b"\0")
        self.wants_tls = outcome == TLS
        self.credentials = (user, password) if ended else None
        self.over = not ended

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
        elif verb == b"capa" and (self.secure or self.prepare):
            yield self._capabilities()
        elif verb == b"stls" and self.prepare and not self.secure:
            yield self._begin_tls(argument)
        else:
            yield error("authorization first")

    def _capabilities(self) -> bytes:
        more = () if self.secure else (b"STLS",)
        return okay(b"capabilities follow") + b"".join(line + b"\r\n" for line in (*CAPABILITIES, *more, b"."))

    def _begin_tls(self, argument: bytes) -> bytes:
        assert self.prepare
        if argument:
            return error("syntax error")
        if not self.prepare():
            return error("TLS is not available now")
        self.wants_tls = self.over = True
        return okay(b"begin TLS now")

    def _take_user(self, argument: bytes) -> bytes:
        if not argument:
            return error("syntax error")
        self._user = argument
        return OK
