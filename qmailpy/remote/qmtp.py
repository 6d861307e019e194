"""One message over QMTP (cr.yp.to/proto/qmtp.txt), and the records that tell of it (qmail-remote(8))."""

from __future__ import annotations

from qmailpy.remote import report
from qmailpy.text.netstring import Ended, Malformed, Reader, TooLong, encoded
from qmailpy.unix.signals import Late
from qmailpy.unix.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.unix.net import Stream

UNIX_LINES = b"\n"  # what begins a message whose lines end in LF alone
ANSWER_LIMIT = 4096  # bytes of a server's answer for one recipient; C holds any number
WORDS = {b"K": "r", b"Z": "s", b"D": "h"}


class Unreadable(Exception):
    """Descriptor 0 does not give the message."""


def package(message: Spool, sender: bytes, recipients: list[bytes]) -> Iterator[bytes]:
    """The message and its envelope as they go out.  Raises Unreadable."""
    yield b"%d:" % (message.size + len(UNIX_LINES)) + UNIX_LINES
    blocks = message.blocks()
    while True:
        try:
            block = next(blocks, b"")
        except OSError:
            raise Unreadable from None
        if not block:
            break
        yield block
    yield b"," + encoded(sender) + encoded(b"".join(map(encoded, recipients)))


class QmtpCourier:
    """One message to one server at `address`."""

    def __init__(self, stream: Stream, address: str) -> None:
        self.stream, self.address = stream, address
        self.critical = False  # the server has the message, but has not said so for all recipients
        self.told: list[bytes] = []
        self.taken: bytes | None = None  # the answer for a recipient who was accepted

    def run(self, sender: bytes, recipients: list[bytes]) -> bytes:
        """Send the message on descriptor 0; the records."""
        try:
            last = self.talk(sender, recipients)
        except Unreadable:
            last = report.record(report.UNREADABLE)
        except (Malformed, TooLong):
            last = report.record(report.IMPROPER_QMTP)
        except (OSError, Ended, Late):
            last = report.dropped(self.address, self.critical)
        finally:
            self.stream.close()
        return b"".join(self.told) + last

    def talk(self, sender: bytes, recipients: list[bytes]) -> bytes:
        """Send everything and take an answer for each recipient; the message's record.  Raises OSError, Unreadable, Malformed, TooLong, Ended."""
        try:
            message = Spool(0)
        except OSError:
            raise Unreadable from None
        for block in package(message, sender, recipients):
            self.stream.send(block)
        self.critical = True
        answers = Reader(self.stream.receive)
        for _ in recipients:
            word, text = next_answer(answers)
            if word == "r":
                self.taken = text
            self.told.append(report.of_qmtp_recipient(word, text, self.address))
        return report.of_qmtp_message(self.taken, self.address)


def next_answer(answers: Reader) -> tuple[str, bytes]:
    """What a server says of one recipient: r, s or h, and its words.  Raises Malformed, TooLong, Ended, OSError."""
    size = answers.length()
    if size >= ANSWER_LIMIT:
        raise TooLong
    answer = b"".join(answers.blocks(size))
    answers.comma()
    word = WORDS.get(answer[:1])
    if word is None:
        raise Malformed
    return word, answer[1:]
