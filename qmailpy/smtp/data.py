"""The message in an SMTP dialogue: where it ends, its dots, its hops, its size (RFC 5321 section 4.5.2).

CR LF . CR LF at the start of a line ends it, and nothing else does.  A bare LF is an error; a bare CR is data.  What is
read goes into the queue, and past clamd, as it comes.
"""

from __future__ import annotations

from qmailpy.smtp import reply
from qmailpy.smtp.reply import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from qmailpy.smtp.world import Queue, Scan

END = b"\r\n.\r\n"
HELD = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")  # beginnings of what decides how a line goes on
HOP_LIMIT = 100


class StrayNewline(Exception):
    """An LF that no CR precedes."""


class HopCounter:
    """Counts the Received and Delivered-To lines of a header (C looks at the first letters only, and so does this)."""

    __slots__ = ("hops", "_in_header", "_line")

    @property
    def looping(self) -> bool:
        """Whether the message has been through too many hosts."""
        return self.hops >= HOP_LIMIT

    def __init__(self) -> None:
        self.hops = 0
        self._in_header = True
        self._line = b""  # the beginning of an unfinished line

    def feed(self, data: bytes) -> None:
        """Take more of the message, with CR LF or LF line ends."""
        if not self._in_header:
            return
        *lines, last = (self._line + data).split(b"\n")
        for line in lines:
            if line in (b"\r", b""):
                self._in_header = False
                return
            self.hops += line[:9].lower().startswith((b"received", b"delivered"))
        self._line = last[:16]


class DataReader:
    """Takes the lines of a message off the wire.

    feed gives what goes into the queue, with LF line ends; when `over`, `rest` is what the client said after the message.
    """

    __slots__ = ("over", "rest", "size", "counter", "_pending", "_first")

    def __init__(self) -> None:
        self.over = False
        self.rest = b""
        self.size = 0  # bytes that feed has given
        self.counter = HopCounter()
        self._pending = b""
        self._first = True  # the pending data begin a line

    @property
    def looping(self) -> bool:
        """Whether the message has been through too many hosts."""
        return self.counter.looping

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the client.  Raises StrayNewline."""
        data = self._pending + data
        self._pending = b""
        if self._first:
            if END[2:].startswith(data[:3]) and len(data) < 3:
                self._pending = data
                return b""
            if data.startswith(END[2:]):
                self.over, self.rest = True, data[3:]
                return b""
        at = data.find(END)
        if at >= 0:
            self.over, self.rest = True, data[at + len(END):]
            data = data[:at + 2]
        else:
            for tail in HELD:
                if data.endswith(tail):
                    data, self._pending = data[:-len(tail)], tail
                    break
        return self._decode(data)

    def _decode(self, data: bytes) -> bytes:
        """The content of lines that end before anything undecided."""
        if not data:
            return b""
        if data.count(b"\n") != data.count(b"\r\n"):
            raise StrayNewline
        self.counter.feed(data)
        if self._first:
            self._first = False
            if data.startswith(b".") and not data.startswith(b".\r"):
                data = data[1:]
        if b"\r\n.\r" in data:  # a dot before a bare CR is no stuffed dot
            first, *others = data.split(b"\r\n.")
            data = b"\r\n".join([first, *(b"." + line if line.startswith(b"\r") else line for line in others)])
        else:
            data = data.replace(b"\r\n.", b"\r\n")
        data = data.replace(b"\r\n", b"\n")
        self.size += len(data)
        return data


class Message:
    """A message that DATA has begun.  It ends with `submit` or `discard`.

    limit  bytes that the client's data may have; 0: any number
    scan   where a copy goes that is looked into; None: nowhere
    """

    __slots__ = ("reader", "queue", "limit", "scan")

    def __init__(self, queue: Queue, limit: int, scan: Scan | None = None) -> None:
        self.reader, self.queue, self.limit, self.scan = DataReader(), queue, limit, scan

    @property
    def too_big(self) -> bool:
        """Whether it is over the limit so far."""
        return bool(self.limit) and self.reader.size > self.limit

    def feed(self, data: bytes) -> None:
        """Pass on bytes of the client.  Raises StrayNewline."""
        content = self.reader.feed(data)
        if self.too_big:
            self.queue.fail()
            self.stop_scan()
        elif content:
            self.put(content)

    def put(self, content: bytes) -> None:
        """Add to the message as it is queued."""
        self.queue.put(content)
        if self.scan:
            self.scan.put(content)

    def stop_scan(self) -> None:
        """Nobody asks for clamd's verdict any more."""
        if self.scan:
            self.scan.close()

    def discard(self) -> None:
        """Have nothing queued."""
        self.stop_scan()
        self.queue.abandon()

    def submit(self, sender: bytes, recipients: Iterable[bytes], now: int) -> Reply:
        """Write the envelope, and say what became of it all."""
        self.queue.envelope(sender)
        for recipient in recipients:
            self.queue.recipient(recipient)
        verdict = self.queue.close()
        return reply.of_verdict(verdict) if verdict else Reply(250, f"ok {now} qp {self.queue.pid}")
