"""The server's side of QMTP and QMQP: messages off the wire and into the queue, as they come (qmail-qmtpd(8), qmail-qmqpd(8)).

QMTP is a row of messages, each three netstrings: the message behind a byte that tells its line ends, the sender, and a
netstring of recipients; each recipient has a reply of its own.  QMQP is one netstring with one message, which has one reply.
"""

from __future__ import annotations

from qmailpy.smtp import reply
from qmailpy.smtp.checks.mailbox import lacks_mailbox
from qmailpy.smtp.checks.rcpt import may_relay
from qmailpy.smtp.data import HopCounter
from qmailpy.smtp.facts import Facts
from qmailpy.text.netstring import Malformed, Reader, encoded
from qmailpy.text.received import received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from qmailpy.smtp.facts import Settings
    from qmailpy.smtp.world import Queue, World
    from qmailpy.text.received import Client

    Replies = TypeVar("Replies")

ADDRESS_LIMIT = 1000  # bytes: an address must be shorter
FORBIDDEN = (b"\0", b"\r", b"\n")  # they would end a record of the envelope, or a line of a later dialogue
UNIX, DOS = 0x0A, 0x0D  # how the lines of a QMTP message end
LENGTH_ROOM = 100  # bytes for the digits of QMQP's outer length
RECIPIENTS = 1 << 20  # of one message; what became of each is a byte of memory, and further ones are put off

BAD_SENDER = "Dunacceptable sender (#5.1.7)"
BAD_ADDRESS = "Dsorry, I can't accept addresses like that (#5.1.3)"
TOO_BIG = "Dsorry, that message size exceeds my databytes limit (#5.3.4)"
LOOPING = "Dtoo many hops, this message is looping (#5.4.6)"
TAKEN, BAD, STRANGE, HOMELESS = 0, 1, 2, 3  # what becomes of a recipient
REFUSALS = {BAD: encoded(b"Dsorry, I can't handle that recipient (#5.1.3)"), STRANGE: encoded(b"D" + b"".join(reply.NO_GATEWAY.lines)),
            HOMELESS: encoded(b"D" + b"".join(reply.NO_MAILBOX.lines))}
TOO_MANY = encoded(b"Z" + b"".join(reply.TOO_MANY.lines))


def acceptable(address: bytes) -> bool:
    """Whether an address can stand in an envelope."""
    return not any(byte in address for byte in FORBIDDEN)


def outcome(queue: Queue, verdict: str, now: int) -> bytes:
    """The reply, as a netstring, for what the queue program says."""
    return encoded(verdict.encode("utf-8", "surrogateescape") if verdict else b"Kok %d qp %d" % (now, queue.pid))


def replies(fates: bytearray, surplus: int, taken: bytes) -> Iterator[bytes]:
    """The reply to each recipient in order; `taken`: that to those who were accepted."""
    words = {TAKEN: taken, **REFUSALS}
    for fate in fates:
        yield words[fate]
    for _ in range(surplus):
        yield TOO_MANY


def queued(world: World, fill: Callable[[Queue], Replies]) -> Replies:
    """Open the queue and have it filled and closed; whatever goes wrong meanwhile, nothing is queued."""
    queue = world.open_queue()
    try:
        return fill(queue)
    except BaseException:
        queue.abandon()
        raise


class LineEnds:
    """CR LF becomes LF; other CRs stay."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""  # a CR whose LF may come

    def feed(self, data: bytes) -> bytes:
        """The same bytes with LF line ends, but for a CR at their end."""
        data, self._held = self._held + data, b""
        if data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        return data.replace(b"\r\n", b"\n")

    def finish(self) -> bytes:
        """A CR that ended the message."""
        return self._held


class QmtpServer:
    """One connection.  `message` may raise what the netstring reader raises, and Temporary."""

    def __init__(self, reader: Reader, values: Settings, client: Client, world: World, relay: bytes | None = None) -> None:
        self.reader, self.world = reader, world
        self.facts = Facts(values, client, relay)

    def message(self) -> Iterator[bytes]:
        """Take one message; its replies."""
        self.reader.left = None
        size = self.reader.length()
        if not size:
            raise Malformed
        return queued(self.world, lambda queue: self._take(queue, size))

    def _take(self, queue: Queue, size: int) -> Iterator[bytes]:
        queue.put(received(b"QMTP", self.facts.client, None, self.world.now()))
        trouble = self._body(queue, size)
        sender = self.reader.string(ADDRESS_LIMIT)
        if sender is None or not acceptable(sender):
            sender, trouble = b"", trouble or BAD_SENDER
        if trouble:
            queue.fail()
        queue.envelope(sender)
        fates, surplus = self._recipients(queue)
        if TAKEN not in fates:
            queue.fail()
        verdict = queue.close()
        return replies(fates, surplus, outcome(queue, trouble or verdict, self.world.now()))

    def _body(self, queue: Queue, size: int) -> str:
        """Put the message; why it is refused, or ""."""
        mode = b"".join(self.reader.blocks(1))[0]
        if mode not in (UNIX, DOS):
            raise Malformed
        ends, limit, done, hops = LineEnds(), self.facts.values.number("databytes"), 0, HopCounter()

        def put(data: bytes) -> None:
            nonlocal done
            done += len(data)
            if limit and done > limit:
                queue.fail()
            elif data:
                hops.feed(data)
                queue.put(data)

        for block in self.reader.blocks(size - 1):
            put(ends.feed(block) if mode == DOS else block)
        put(ends.finish())
        self.reader.comma()
        if limit and done > limit:
            return TOO_BIG
        return LOOPING if hops.looping else ""

    def _recipients(self, queue: Queue) -> tuple[bytearray, int]:
        """Put the recipients that are accepted: what became of each, and how many more were not looked at."""
        fates, surplus = bytearray(), 0
        relay = self.facts.relay
        self.facts.forget_transaction()
        self.reader.left = self.reader.length()
        while self.reader.left:
            address = self.reader.string(ADDRESS_LIMIT - len(relay or b""))
            self.facts.recipient = address or b""
            if len(fates) == RECIPIENTS:
                surplus += 1
            elif address is not None and may_relay(self.facts, self.world):
                fates.append(STRANGE)
            elif address is None or not acceptable(address):
                fates.append(BAD)
            elif lacks_mailbox(self.facts, self.world):
                fates.append(HOMELESS)
            else:
                queue.recipient(address + (relay or b""))
                fates.append(TAKEN)
        self.reader.left = None
        self.reader.comma()
        return bytearray([HOMELESS]) * len(fates) if self.facts.missing else fates, surplus  # QMAILRRTDENYALL


def qmqp_message(reader: Reader, client: Client, world: World) -> bytes:
    """Take the one message of a QMQP connection; its reply.  May raise what the netstring reader raises, and Temporary."""
    reader.left = LENGTH_ROOM
    reader.left = reader.length(fits=False)
    size = reader.length()
    return queued(world, lambda queue: _take_qmqp(queue, reader, size, client, world))


def _take_qmqp(queue: Queue, reader: Reader, size: int, client: Client, world: World) -> bytes:
    queue.put(received(b"QMQP", client, None, world.now()))
    hops = HopCounter()
    for block in reader.blocks(size):
        hops.feed(block)
        queue.put(block)
    reader.comma()
    trouble = LOOPING if hops.looping else ""
    sender = reader.string(ADDRESS_LIMIT)
    if sender is None or not acceptable(sender):
        sender, trouble = b"", BAD_ADDRESS
    queue.envelope(sender)
    while reader.left:
        address = reader.string(ADDRESS_LIMIT)
        if address is not None and acceptable(address):
            queue.recipient(address)
        else:
            trouble = BAD_ADDRESS
    if trouble:
        queue.fail()
    reader.left = None
    reader.comma()
    verdict = queue.close()
    return outcome(queue, trouble or verdict, world.now())
