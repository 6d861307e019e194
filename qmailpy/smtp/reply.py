"""Replies of a server (RFC 5321 section 4.2)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.exits import Temporary

class Reply:
    """A code and its lines of text; `closing` says with which exit status the session ends after it, None: it goes on."""

    __slots__ = ("code", "lines", "closing", "_wire")

    def __init__(self, code: int, *lines: str | bytes, closing: int | None = None) -> None:
        self.code, self.closing = code, closing
        self.lines = tuple([line.encode() if isinstance(line, str) else line for line in lines])
        self._wire = b""  # not made yet

    def wire(self) -> bytes:
        """The bytes that go to the client."""
        if not self._wire:
            last = len(self.lines) - 1
            self._wire = b"".join([b"%d%s%s\r\n" % (self.code, b" " if at == last else b"-", line) for at, line in enumerate(self.lines)])
        return self._wire


OK = Reply(250, "ok")
FLUSHED = Reply(250, "flushed")
GO_AHEAD = Reply(354, "go ahead")
UNIMPLEMENTED = Reply(502, "unimplemented (#5.5.1)")
SYNTAX = Reply(555, "syntax error (#5.5.4)")
LINE_TOO_LONG = Reply(500, "line too long (#5.5.2)")
WANT_MAIL = Reply(503, "MAIL first (#5.5.1)")
WANT_RCPT = Reply(503, "RCPT first (#5.5.1)")
VRFY = Reply(252, "send some mail, i'll try my best")
HELP = Reply(214, "qmailpy: see qmail-smtpd(8)")
NO_QUEUE = Reply(451, "qqt failure (#4.3.0)")
STRAY_NEWLINE = Reply(451, "See http://pobox.com/~djb/docs/smtplf.html.", closing=1)
TIMEOUT = Reply(451, "timeout (#4.4.2)", closing=1)
NO_CONTROLS = Reply(421, "unable to read controls (#4.3.0)", closing=1)
TOO_MANY_COMMANDS = Reply(421, "too many commands in one session (#4.7.0)", closing=1)
TOO_MANY_ERRORS = Reply(421, "too many errors in one session (#4.7.0)", closing=1)
SESSION_OVER = Reply(421, "this session takes too long (#4.4.2)", closing=1)
LIMITS = (TOO_MANY_COMMANDS, TOO_MANY_ERRORS, SESSION_OVER)  # of a session (smtp/facts.py)
BUG = Reply(421, "internal error (#4.3.0)", closing=1)
LOOPING = Reply(554, "too many hops, this message is looping (#5.4.6)")
TOO_BIG = Reply(552, "sorry, that message size exceeds my databytes limit (#5.3.4)")
BAD_MAIL_FROM = Reply(553, "sorry, your envelope sender is in my badmailfrom list (#5.7.1)")
EARLY = Reply(554, "SMTP protocol violation", closing=1)
BAD_HELO = Reply(553, "sorry, your HELO host name has been denied (#5.7.1)")
UNKNOWN_HELO = Reply(553, "sorry, invalid host name in HELO/EHLO command. (#5.7.1)")
BAD_SENDER = Reply(553, "sorry, your envelope sender has been denied (#5.7.1)")
BAD_RECIPIENT = Reply(553, "sorry, your envelope recipient has been denied (#5.7.1)")
UNSEARCHED = Reply(451, "unable to search lists of patterns (#4.3.0)")
FOREIGN_SENDER = Reply(553, "sorry, your envelope sender is not allowed from your IP address (#5.7.1)")
NO_SENDER_DOMAIN = Reply(553, "sorry, your envelope sender domain must exist (#5.7.1)")
NO_DNS = Reply(451, "DNS temporary failure (#4.3.0)")
NO_SENDER = Reply(553, "sorry, your envelope sender must exist (#5.7.1)")
UNVERIFIED = Reply(451, "unable to verify your envelope sender (#4.3.0)")
TOO_MANY = Reply(452, "sorry, too many recipients (#4.5.3)")
NO_GATEWAY = Reply(553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
NOT_OURS = Reply(553, "Not our message (#5.7.1)")
NO_MAILBOX = Reply(550, "sorry, no mailbox here by that name. (#5.1.1)")
NO_MAILBOX_AMONG = Reply(554, "sorry, no mailbox here by that name. (#5.1.1)")
REFUSED_BY_PROGRAM = Reply(553, "sorry, no mailbox here by that name. (#5.1.1)")
CANNOT_VERIFY = Reply(421, "unable to verify recipient (#4.3.0)", closing=1)
CANNOT_EXECUTE = Reply(421, "unable to execute recipient check (#4.3.0)", closing=1)
NO_SCANNER = Reply(451, "sorry, virus scanner temporarily unavailable (#4.3.0)")


def virus(name: bytes) -> Reply:
    """The reply for a message with a virus."""
    return Reply(554, b"sorry, your message contains a virus: " + name + b" (#5.7.1)")


def end_of_session(problem: Temporary) -> Reply:
    """The reply for trouble that the session cannot go on with."""
    return Reply(421, f"{problem.text} (#{problem.status})", closing=1)

NO_PARAMETERS = Reply(501, "Syntax error (no parameters allowed) (#5.5.4)")
READY_FOR_TLS = Reply(220, "ready for tls")
AUTH_UNAVAILABLE = Reply(503, "auth not available (#5.3.3)")
AUTH_DONE = Reply(503, "you're already authenticated (#5.5.0)")
AUTH_TOO_LATE = Reply(503, "no auth during mail transaction (#5.5.0)")
AUTH_NEEDS_TLS = Reply(538, "auth not available without TLS (#5.3.3)")
AUTH_UNKNOWN = Reply(504, "auth type unimplemented (#5.5.1)")
AUTH_MALFORMED = Reply(501, "malformed auth input (#5.5.4)")
AUTH_CANCELLED = Reply(501, "auth exchange cancelled (#5.0.0)")
AUTH_ACCEPTED = Reply(235, "ok, go ahead (#2.0.0)")
AUTH_REFUSED = Reply(535, "authorization failed (#5.7.0)")


def of_verdict(verdict: str) -> Reply:
    """The reply for what a queue program says: "D..." is permanent, anything else temporary."""
    return Reply(554 if verdict.startswith("D") else 451, verdict[1:])
