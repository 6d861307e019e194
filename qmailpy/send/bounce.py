"""What bounces say (qmail-send(8); the words are those that programs look for)."""

from __future__ import annotations

from qmailpy.text.date import rfc822
from qmailpy.text.quote import in_quotes, needs_quotes, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOUBLE_BOUNCE = b"#@[]"  # the sender of bounces of bounces
STRIPPED = b"\n\n--- End of message stripped.\n"
TOO_OLD = b"I'm not going to try again; this message has been in the queue too long.\n"


class Postmark:
    """Who bounces come from, and who gets the bounces of bounces."""

    __slots__ = ("user", "host", "double_to")

    def __init__(self, user: bytes, host: bytes, double_to: bytes) -> None:
        self.user, self.host, self.double_to = user, host, double_to


def paragraph(recipient: bytes, report: bytes) -> bytes:
    """What bounce/N gets for one failure: the address and the report, without empty lines in it."""
    text = b"<" + recipient.replace(b"\n", b"_") + b">:\n" + report
    if report and not report.endswith(b"\n"):
        text += b"\n"
    kept = bytearray(text)
    for at in range(1, len(text) - 1):
        if text[at - 1:at + 1] == b"\n\n":  # an empty line would end the paragraph
            kept[at] = 0x2F
    return bytes(kept) + b"\n"


def plain_sender(sender: bytes) -> bytes:
    """The sender that a bounce goes to: owner-@host-@[] is owner-@host."""
    return sender[:-4] if sender.endswith(b"-@[]") else sender


def addresses(sender: bytes, mark: Postmark) -> tuple[bytes, bytes]:
    """(the bounce's sender, its recipient) for a message from `sender`."""
    return (b"", sender) if sender else (DOUBLE_BOUNCE, mark.double_to)


def head(sender: bytes, mark: Postmark, now: int) -> bytes:
    """The bounce up to the failures."""
    user = in_quotes(mark.user) if needs_quotes(mark.user) else mark.user
    text = (b"Date: " + rfc822(now) + b"\nFrom: " + user + b"@" + mark.host + b"\nTo: " + quoted(addresses(sender, mark)[1])
            + b"\nSubject: failure notice\n\nHi. This is the qmail-send program at " + mark.host + b".\n")
    if sender:
        return text + (b"I'm afraid I wasn't able to deliver your message to the following addresses.\n"
                       b"This is a permanent error; I've given up. Sorry it didn't work out.\n\n")
    return text + b"I tried to deliver a bounce message to this address, but the bounce bounced!\n\n"


def middle(sender: bytes) -> bytes:
    """What stands between the failures and the original message."""
    what = b"a copy of the message" if sender else b"the original bounce"
    return b"--- Below this line is " + what + b".\n\nReturn-Path: <" + quoted(sender) + b">\n"


def cut(message: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The original message as its bounce has it: at most `limit` bytes (0: all of it), and a note if there are more."""
    left = limit
    for block in message:
        if limit and len(block) > left:
            yield block[:left] + STRIPPED
            return
        left -= len(block)
        yield block
