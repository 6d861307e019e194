"""qmail-remote: send the message on descriptor 0 to recipients at one host, by SMTP or QMTP.  See qmail-remote(8)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, Temporary
from qmailpy.home import here
from qmailpy.queue.tcpto import DeadHosts
from qmailpy.remote import report
from qmailpy.remote.connect import Connector, Failed, hops
from qmailpy.remote.route import QMTP, doors, target
from qmailpy.settings.load import load
from qmailpy.smtp.client import Body, PartialLine, ReplyReader, Stuffer, TooLong, dialogue
from qmailpy.text.quote import quoted
from qmailpy.unix.fds import BLOCK, write_all
from qmailpy.unix.signals import shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.smtp.client import Reply, Verdict
    from qmailpy.unix.net import Stream

SETTINGS = ("helohost", "moreipme", "notipme", "qmtproutes", "smtproutes", "timeoutconnect", "timeoutremote")
ARGUMENTS = 3


class Courier:
    """One dialogue with one server, and the records that tell of it."""

    def __init__(self, stream: Stream, address: str) -> None:
        self.stream, self.address = stream, address
        self.replies = ReplyReader()
        self.critical = False  # the server has the message, but has not said so
        self.told: list[tuple[str, Reply]] = []

    def run(self, helo: bytes, sender: bytes, recipients: list[bytes]) -> bytes:
        """Send the message; the records."""
        try:
            last = report.of_message(self.talk(helo, sender, recipients), self.address)
        except (OSError, TooLong):
            last = report.dropped(self.address, self.critical)
        except PartialLine:
            last = report.record(report.PARTIAL_LINE)
        except Failed as failed:
            last = failed.record
        finally:
            self.stream.close()
        return b"".join(report.of_recipient(word, reply, self.address) for word, reply in self.told) + last

    def talk(self, helo: bytes, sender: bytes, recipients: list[bytes]) -> Verdict:
        """The dialogue.  Raises OSError if the connection dies."""
        steps = dialogue(helo, sender, recipients, self.told)
        step = next(steps)
        while True:
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
        """The next reply."""
        while (reply := self.replies.next_reply()) is None:
            data = self.stream.receive()
            if not data:
                raise ConnectionResetError
            self.replies.feed(data)
        return reply

    def send_message(self) -> None:
        """Send what descriptor 0 gives.  Raises Failed, PartialLine."""
        stuffer = Stuffer()
        while data := read_message():
            self.stream.send(stuffer.feed(data))
        end = stuffer.finish()
        self.critical = True
        self.stream.send(end)

    def hang_up(self) -> None:
        """Say QUIT; nobody waits for the answer."""
        try:
            self.stream.send(b"QUIT\r\n")
        except OSError:
            pass


def read_message() -> bytes:
    """The next block of the message.  Raises Failed."""
    try:
        return os.read(0, BLOCK)
    except OSError:
        raise Failed(report.record(report.UNREADABLE)) from None


def on_the_wire(address: bytes) -> bytes:
    """An address as it stands in MAIL and RCPT: the local part in quotes where it needs them."""
    return quoted(address) if b"@" in address else address


def deliver(arguments: list[bytes], env: MutableMapping[str, str]) -> bytes:
    """The records for host, sender and recipients.  Raises Failed."""
    if len(arguments) < ARGUMENTS:
        raise Failed(report.record(report.IMPROPER))
    if any(byte in argument for argument in arguments for byte in (b"\r", b"\n")):
        raise Failed(report.record(report.LINE_BREAK))
    home = here()
    values = load(home, SETTINGS)
    if not values.known("helohost"):
        raise Failed(report.record(report.NO_CONTROLS))
    qmtproutes = values.map("qmtproutes")
    wanted = target(arguments[0], values.map("smtproutes") or {}, qmtproutes or {})
    from qmailpy.unix.resolver import Resolver

    dead = DeadHosts(home.at("queue", "lock", "tcpto"), os.getpid())
    connector = Connector(dead, values.number("timeoutconnect"), values.number("timeoutremote"), int(time.time()))
    found = hops(wanted, Resolver(env), values.list("moreipme"), values.list("notipme"))
    stream, address, protocol = connector.connect(found, lambda hop: doors(wanted, hop, qmtproutes is not None))
    if protocol == QMTP:
        from qmailpy.remote.qmtp import QmtpCourier

        return QmtpCourier(stream, address).run(arguments[1], arguments[2:])
    return Courier(stream, address).run(values.line("helohost"), on_the_wire(arguments[1]), [on_the_wire(one) for one in arguments[2:]])


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    with shielded():
        try:
            records = deliver([os.fsencode(argument) for argument in argv[1:]], env)
        except Failed as failed:
            records = failed.record
        except Temporary:
            records = report.record(report.NO_CONTROLS)
        write_all(1, records)
    return OK
