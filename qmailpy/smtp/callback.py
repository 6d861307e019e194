"""Does a mail exchanger take mail for an address?  The dialogue that asks it, and what its answers mean (aio: mfcheck)."""

from __future__ import annotations

from qmailpy.text.quote import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from qmailpy.smtp.client import Reply

KNOWN, UNKNOWN, LATER, UNASKABLE, OURS = "known", "unknown", "later", "unaskable", "ours"


class Answer:
    """What came of it; `reason` is for the log.

    KNOWN, UNKNOWN  the address is accepted, or refused for good
    LATER           nobody can say now
    UNASKABLE       the exchanger does not take the empty sender, so that it cannot be asked
    OURS            this host is an exchanger of the domain, and asks nobody
    """

    __slots__ = ("verdict", "reason")

    def __init__(self, verdict: str, reason: bytes = b"") -> None:
        self.verdict, self.reason = verdict, reason


def dialogue(helo: bytes, address: bytes) -> Generator[bytes, Reply, Answer | None]:
    """Yield what to send, get the reply to it (at first, without sending anything, the greeting); None: ask another exchanger."""
    for line in (b"", b"HELO " + helo + b"\r\n"):
        if not good((yield line)):
            return None
    reply = yield b"MAIL FROM:<>\r\n"
    if reply.code >= 500:
        return Answer(UNASKABLE, reply.text)
    if not good(reply):
        return None
    reply = yield b"RCPT TO:<" + (quoted(address) if b"@" in address else address) + b">\r\n"
    return Answer(KNOWN if good(reply) else UNKNOWN if reply.code >= 500 else LATER, reply.text)


def good(reply: Reply) -> bool:
    """Whether a command has been accepted."""
    return 200 <= reply.code < 300
