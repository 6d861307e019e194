"""maildirwatch: show on the screen what is new in a Maildir, again and again.  See maildirwatch(1)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, Temporary, Trouble
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


def summary(fd: int) -> bytes:
    """The lines for a message on a descriptor.  Raises Trouble if it cannot be read."""
    message, seen = Message(fd), {b"return-path": b"?", b"delivered-to": b"?", b"from": b"", b"subject": b""}
    for field in message.fields():
        kind = name(field)
        if kind == b"from":
            seen[kind] = field.removesuffix(b"\n")
        elif kind == b"subject":
            seen[kind] += value(field) + b"\n"
        elif kind in seen:
            seen[kind] = value(field)
    lines = [b"FROM %s TO <%s>" % (printable(seen[b"return-path"], b"?"), printable(seen[b"delivered-to"], b"?"))]
    if seen[b"from"]:
        lines.append(BOLD + printable(seen[b"from"], b"/") + PLAIN)
    lines.append(beginning(seen[b"subject"], message.body(), WIDTH))
    return b"\n".join([*lines, b"", b""])


def screen(base: bytes) -> bytes:
    """All that is shown.  Raises Temporary."""
    now, parts = int(time.time()), [CLEAR]
    clean(base, now)
    for _, path, _ in messages(base, now, (b"new",)):
        try:
            fd = os.open(base + b"/" + path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue  # it has gone meanwhile
        try:
            parts.append(summary(fd))
        except Trouble as problem:
            raise Temporary("trouble reading new message") from problem
        finally:
            os.close(fd)
    return b"".join(parts)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    base = maildir(env)
    try:
        while True:
            write_all(1, screen(base))
            time.sleep(INTERVAL)
    except KeyboardInterrupt:
        return OK
