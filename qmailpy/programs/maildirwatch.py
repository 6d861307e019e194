"""maildirwatch: show on the screen what is new in a Maildir, again and again.  See maildirwatch(1)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import Permanent, Temporary
from qmailpy.local.scan import clean, maildir, messages
from qmailpy.text.header import name
from qmailpy.text.summary import beginning, printable, value
from qmailpy.unix.fds import write_all
from qmailpy.unix.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

INTERVAL = 30  # seconds
WIDTH = 158  # bytes of subject and text
CLEAR, BOLD, PLAIN = b"\033[;H\033[;J", b"\033[1m", b"\033[0m"  # of a VT100


class Summary:
    """What is shown of a message on a descriptor.  Raises Temporary if it cannot be read."""

    __slots__ = ("sender", "recipient", "author", "subject", "text")

    def __init__(self, fd: int) -> None:
        self.sender, self.recipient, self.author, self.subject, self.text = b"?", b"?", b"", b"", b""
        message = Message(fd)
        try:
            for field in message.fields():
                self.take(field)
            for block in message.body():
                self.text += block
                if len(self.text) >= WIDTH:
                    return
        except Permanent:
            return  # an endless header: what has been seen of it is shown

    def take(self, field: bytes) -> None:
        """Take a header field."""
        kind = name(field)
        if kind == b"return-path":
            self.sender = value(field)
        elif kind == b"delivered-to":
            self.recipient = value(field)
        elif kind == b"from":
            self.author = field.removesuffix(b"\n")
        elif kind == b"subject":
            self.subject = (self.subject + value(field) + b"\n")[:WIDTH]

    def lines(self) -> bytes:
        """As it stands on the screen."""
        lines = [b"FROM %s TO <%s>" % (printable(self.sender, b"?"), printable(self.recipient, b"?"))]
        if self.author:
            lines.append(BOLD + printable(self.author, b"/") + PLAIN)
        lines.append(beginning(self.subject, (self.text,), WIDTH))
        return b"\n".join([*lines, b"", b""])


def screen(base: bytes, now: int) -> bytes:
    """All that is shown.  Raises Temporary."""
    parts = [CLEAR]
    clean(base, now)
    for _, path, _ in messages(base, now, (b"new",)):
        try:
            fd = os.open(base + b"/" + path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue  # it has gone meanwhile
        try:
            parts.append(Summary(fd).lines())
        except Temporary as problem:
            raise Temporary("trouble reading new message") from problem
        finally:
            os.close(fd)
    return b"".join(parts)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    base = maildir(env)
    while True:
        write_all(1, screen(base, int(time.time())))
        time.sleep(INTERVAL)
