"""Ask the mail exchangers of a domain whether they take mail for an address there (aio: mfcheck)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import Trouble
from qmailpy.smtp.callback import LATER, OURS, Answer, dialogue
from qmailpy.smtp.client import ReplyReader, TooLong
from qmailpy.text.address import domain
from qmailpy.unix.net import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.smtp.client import Reply
    from qmailpy.unix.net import Stream
    from qmailpy.unix.resolver import Resolver

PORT = 25
EXCHANGERS = 10  # of a domain that are looked at, the most preferred
PATIENCE = 240.0  # seconds for all of it: five minutes after its MAIL the client need not listen any more (RFC 5321 section 4.5.3.2.2)


class Callback:
    """Asks one exchanger after the other, until one of them says something.

    is_own  whether an IP address is this host's
    helo    what this host calls itself
    timeout seconds for each step: to connect, to send, to hear a whole reply
    """

    def __init__(self, resolver: Resolver, is_own: Callable[[str], bool], helo: bytes, timeout: int, port: int = PORT) -> None:
        self.resolver, self.is_own, self.helo, self.timeout, self.port = resolver, is_own, helo, timeout, port
        self.end = time.monotonic() + PATIENCE

    def ask(self, address: bytes) -> Answer:
        """What is known of an address."""
        found = self.addresses(domain(address) or b"")
        if any(self.is_own(place) for place in found):
            return Answer(OURS)
        for place in found:
            if self.left() <= 0:
                break
            if (answer := self.ask_at(place, address)) is not None:
                return Answer(answer.verdict, place.encode() + b" says " + answer.reason)
        return Answer(LATER, b"no mail exchanger can be asked")

    def left(self) -> float:
        """Seconds for the next step."""
        return min(self.timeout, self.end - time.monotonic())

    def addresses(self, host: bytes) -> list[str]:
        """The IP addresses of a domain's exchangers, in the order in which they are to be asked; those that cannot be found out are left out."""
        try:
            exchangers = self.resolver.exchangers(host)
        except Trouble:
            return []
        # Those of one preference in an order drawn at random (RFC 5321 section 5.1).
        ordered = [name for _, _, name in sorted((preference, os.urandom(4), name) for preference, name in exchangers)]
        found: list[str] = []
        for name in ordered[:EXCHANGERS] or [host]:
            if self.left() <= 0:
                break
            try:
                found += self.resolver.addresses(name)
            except Trouble:
                pass
        return found

    def ask_at(self, place: str, address: bytes) -> Answer | None:
        """What the exchanger at an IP address says; None if it says nothing that counts."""
        try:
            stream = connect(place, self.port, self.left(), self.timeout)
        except OSError:
            return None
        try:
            return self.talk(stream, address)
        except (OSError, TooLong):
            return None
        finally:
            stream.close()

    def talk(self, stream: Stream, address: bytes) -> Answer | None:
        """The dialogue, to its end.  Raises OSError, TooLong."""
        steps, replies = dialogue(self.helo, address), ReplyReader()
        line = next(steps)
        while True:
            stream.within(self.left())
            stream.send(line)
            reply = self.reply(stream, replies)
            try:
                line = steps.send(reply)
            except StopIteration as over:
                hang_up(stream)
                answer: Answer | None = over.value
                return answer

    def reply(self, stream: Stream, replies: ReplyReader) -> Reply:
        """The next reply, whole in time however it drips.  Raises OSError, TooLong."""
        end = time.monotonic() + self.left()
        while (reply := replies.next_reply()) is None:
            stream.within(end - time.monotonic())
            data = stream.receive()
            if not data:
                raise ConnectionResetError
            replies.feed(data)
        return reply


def hang_up(stream: Stream) -> None:
    """Say QUIT; nobody waits for the answer."""
    try:
        stream.send(b"QUIT\r\n")
    except OSError:
        pass
