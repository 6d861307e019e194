"""One message over SMTP: a dialogue with one server, and the records that tell of it (qmail-remote(8))."""

from __future__ import annotations

import time

from qmailpy.remote import report
from qmailpy.smtp.client import ON, Account, Body, PartialLine, ReplyReader, StartTls, Stuffer, TooLong, dialogue, may_go_elsewhere
from qmailpy.unix.net import Stream, TlsFailed, trouble
from qmailpy.unix.signals import Late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.smtp.client import Plan, Reply, Verdict
    from qmailpy.unix.tls_client import TlsClient, TlsStream


class Outcome:
    """How it went: the records, and whether another server may be asked in the place of this one."""

    __slots__ = ("records", "elsewhere")

    def __init__(self, records: bytes, elsewhere: bool) -> None:
        self.records, self.elsewhere = records, elsewhere


class Courier:
    """One message to one server.

    message  gives the blocks of the message; raises OSError
    timeout  seconds to wait for each reply
    tls      makes ready for TLS, when it comes to that; raises TlsFailed
    """

    def __init__(self, stream: Stream, address: str, message: Callable[[], Iterator[bytes]], tls: Callable[[], TlsClient],
                 timeout: float) -> None:
        self.stream: Stream | TlsStream = stream
        self.address, self.message, self.tls, self.timeout = address, message, tls, timeout
        self.replies = ReplyReader()
        self.account = Account()
        self.critical = False  # the server has the message, but has not said so
        self.untried = False  # TLS has begun, but nothing has come through it yet

    def run(self, plan: Plan) -> Outcome:
        """Send the message.  Raises TlsFailed, with nothing sent."""
        elsewhere = False
        try:
            verdict = self.talk(plan)
            last = report.of_message(verdict, self.address, self.account.notes)
            elsewhere = may_go_elsewhere(verdict, self.account)
        except Late:
            last = report.dropped(self.address, self.critical)
        except (OSError, TooLong) as problem:
            if self.untried:  # some servers look at our side of the handshake only when we think that it is over (RFC 8446 section 4.4)
                raise TlsFailed(f"TLS connect failed: {trouble(problem)}") from None
            last = report.dropped(self.address, self.critical)
            elsewhere = not self.critical
        except PartialLine:
            last = report.record(report.PARTIAL_LINE)
        except report.Failed as failed:
            last = failed.record
        finally:
            self.stream.close()
        return Outcome(b"".join(report.of_recipient(word, reply, self.address) for word, reply in self.account.recipients) + last, elsewhere)

    def talk(self, plan: Plan) -> Verdict:
        """The dialogue.  Raises OSError if the connection dies."""
        if plan.tls == ON:
            self.encrypt(self.tls())
        steps = dialogue(plan, self.account)
        step = next(steps)
        while True:
            if isinstance(step, StartTls):
                reply = self.start_tls()
            else:
                if isinstance(step, Body):
                    self.send_message()
                elif step:
                    self.stream.send(step)
                reply = self.reply()
            self.critical = False
            try:
                step = steps.send(reply)
            except StopIteration as end:
                self.hang_up()
                verdict: Verdict = end.value
                return verdict

    def reply(self) -> Reply:
        """The next reply, whole in time however it drips (RFC 5321 section 4.5.3.2)."""
        end = time.monotonic() + self.timeout
        while (reply := self.replies.next_reply()) is None:
            self.stream.within(end - time.monotonic())
            data = self.stream.receive()
            if not data:
                raise ConnectionResetError("the server hung up")
            self.replies.feed(data)
            self.untried = False
        self.stream.within(self.timeout)
        return reply

    def start_tls(self) -> Reply:
        """Ask for TLS and begin it; the reply.  Raises TlsFailed."""
        client = self.tls()  # what cannot be made ready is found out before the server is asked
        self.stream.send(b"STARTTLS\r\n")
        reply = self.reply()
        if reply.code == 220:
            self.encrypt(client)
        return reply

    def encrypt(self, client: TlsClient) -> None:
        """Begin TLS.  Raises TlsFailed."""
        assert isinstance(self.stream, Stream)
        self.stream = client.begin(self.stream)
        self.untried = True
        self.replies = ReplyReader()  # what came in clear behind a reply must not pass for what is said within TLS
        self.account.notes += client.notes

    def send_message(self) -> None:
        """Send the message; its last block and the end go together.  Raises Failed, PartialLine."""
        stuffer, held = Stuffer(), b""
        blocks = self.message()
        while data := next_block(blocks):
            if held:
                self.stream.send(held)
            held = stuffer.feed(data)
        held += stuffer.finish()
        self.critical = True
        self.stream.send(held)

    def hang_up(self) -> None:
        """Say QUIT; nobody waits for the answer."""
        try:
            self.stream.send(b"QUIT\r\n")
        except OSError:
            pass


def next_block(blocks: Iterator[bytes]) -> bytes:
    """The next block of the message; empty at its end.  Raises Failed: that it cannot be read is not the server's fault."""
    try:
        return next(blocks, b"")
    except OSError:
        raise report.Failed(report.record(report.UNREADABLE)) from None
