"""The server's side of QMTP and QMQP: messages off the wire and into the queue, as they come (qmail-qmtpd(8), qmail-qmqpd(8)).

QMTP is a row of messages, each three netstrings: the message behind a byte that tells its line ends, the sender, and a
netstring of recipients; each recipient has a reply of its own.  QMQP is one netstring with one message, which has one reply.
"""

from __future__ import annotations

from qmailpy.smtp import reply
from qmailpy.smtp.checks.mailbox import lacks_mailbox
from qmailpy.smtp.checks.rcpt import may_relay
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

BAD_SENDER = "Dunacceptable sender (#5.1.7)"
BAD_RECIPIENT = b"Dsorry, I can't handle that recipient (#5.1.3)"
BAD_ADDRESS = "Dsorry, I can't accept addresses like that (#5.1.3)"
TOO_BIG = "Dsorry, that message size exceeds my databytes limit (#5.3.4)"
NO_MAILBOX = b"D" + b"".join(reply.NO_MAILBOX.lines)
TAKEN, BAD, STRANGE, HOMELESS = 0, 1, 2, 3  # what becomes of a recipient; a byte is kept of each


def acceptable(address: bytes | None, room: int = 0) -> bool:
    """Whether an address, with `room` bytes behind it, can stand in an envelope."""
    return address is not None and len(address) + room < ADDRESS_LIMIT and not any(byte in address for byte in FORBIDDEN)


def outcome(queue: Queue, verdict: str, now: int) -> bytes:
    """The reply, as a netstring, for what the queue program says."""
    return encoded(verdict.encode("utf-8", "surrogateescape") if verdict else b"Kok %d qp %d" % (now, queue.pid))


def queued(world: World, fill: Callable[[Queue], Replies]) -> Replies:
    """Open the queue and have it filled and closed; whatever goes wrong meanwhile, nothing is queued."""
    queue = world.open_queue()
    try:
        return fill(queue)
    except BaseException:
        queue.fail()
        queue.close()
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
        too_big = self._body(queue, size)
        sender = self.reader.string(ADDRESS_LIMIT)
        if not acceptable(sender):
            sender = None
            queue.fail()
        queue.envelope(sender or b"")
        fates = self._recipients(queue)
        if TAKEN not in fates:
            queue.fail()
        verdict = queue.close()
        if too_big:
            verdict = TOO_BIG
        elif sender is None:
            verdict = BAD_SENDER
        replies = {TAKEN: outcome(queue, verdict, self.world.now()), BAD: encoded(BAD_RECIPIENT),
                   STRANGE: encoded(b"D" + b"".join(reply.NO_GATEWAY.lines)), HOMELESS: encoded(NO_MAILBOX)}
        return (replies[fate] for fate in fates)

    def _body(self, queue: Queue, size: int) -> bool:
        """Put the message; whether it is larger than allowed."""
        mode = b"".join(self.reader.blocks(1))[0]
        if mode not in (UNIX, DOS):
            raise Malformed
        ends, limit, done = LineEnds(), self.facts.values.number("databytes"), 0

        def put(data: bytes) -> None:
            nonlocal done
            done += len(data)
            if limit and done > limit:
                queue.fail()
            elif data:
                queue.put(data)

        for block in self.reader.blocks(size - 1):
            put(ends.feed(block) if mode == DOS else block)
        put(ends.finish())
        self.reader.comma()
        return bool(limit) and done > limit

    def _recipients(self, queue: Queue) -> bytearray:
        """Put the recipients that are accepted; what became of each."""
        fates = bytearray()
        relay = self.facts.relay
        self.facts.forget_transaction()
        self.reader.left = self.reader.length()
        while self.reader.left:
            address = self.reader.string(ADDRESS_LIMIT - len(relay or b""))
            self.facts.recipient = address or b""
            if address is not None and may_relay(self.facts, self.world):
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
        return bytearray([HOMELESS]) * len(fates) if self.facts.missing else fates  # QMAILRRTDENYALL


def qmqp_message(reader: Reader, client: Client, world: World) -> bytes:
    """Take the one message of a QMQP connection; its reply.  May raise what the netstring reader raises, and Temporary."""
    reader.left = LENGTH_ROOM
    reader.left = reader.length(fits=False)
    size = reader.length()
    return queued(world, lambda queue: _take_qmqp(queue, reader, size, client, world))


def _take_qmqp(queue: Queue, reader: Reader, size: int, client: Client, world: World) -> bytes:
    queue.put(received(b"QMQP", client, None, world.now()))
    for block in reader.blocks(size):
        queue.put(block)
    reader.comma()
    sender = reader.string(ADDRESS_LIMIT)
    good = acceptable(sender)
    queue.envelope(sender if sender is not None and good else b"")
    while reader.left:
        address = reader.string(ADDRESS_LIMIT)
        if address is not None and acceptable(address):
            queue.recipient(address)
        else:
            good = False
    if not good:
        queue.fail()
    reader.left = None
    reader.comma()
    verdict = queue.close()
    return outcome(queue, verdict if good else BAD_ADDRESS, world.now())
