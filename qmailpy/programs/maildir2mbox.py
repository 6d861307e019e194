"""maildir2mbox: move a Maildir's messages into an mbox.  See maildir2mbox(1)."""

from __future__ import annotations

import os
import time

from qmailpy.errnotext import wording
from qmailpy.exits import OK, Temporary, complain, during
from qmailpy.local.scan import clean, maildir, messages
from qmailpy.text.date import asctime
from qmailpy.text.mbox import DASHES, FROM, Quoter
from qmailpy.unix.fds import BLOCK, copy, write_all
from qmailpy.unix.files import lock, sync_file, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

RETURN_PATH = b"Return-Path: <"
NOBODY = 3 * b"X"  # the sender, as in C, of a message that does not tell it


def from_line(first: bytes, date: float) -> bytes:
    """The line that begins an entry, by the first line of a message."""
    sender = NOBODY
    if first.startswith(RETURN_PATH):
        sender = first[len(RETURN_PATH):].removesuffix(b">").translate(DASHES) or b"MAILER-DAEMON"
    return FROM + sender + b" " + asctime(int(date)) + b"\n"


def entry(fd: int, date: float) -> Iterator[bytes]:
    """A message as it stands in an mbox."""
    quoter, data = Quoter(), os.read(fd, BLOCK)
    first, newline, _ = data.partition(b"\n")
    yield from_line(first if newline else b"", date)
    while data:
        yield quoter.feed(data)
        data = os.read(fd, BLOCK)
    yield quoter.finish()


def move(base: bytes, found: list[tuple[float, bytes, int]], mbox: str, fresh: str) -> None:
    """Make `fresh` of the mbox and the messages, put it in the mbox's place, and remove the messages.  Raises Temporary."""
    with during(f"unable to lock {mbox}"):
        locked = os.open(mbox, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        lock(locked, wait=True)
    with during(f"unable to read {mbox}"):
        old = os.open(mbox, os.O_RDONLY | os.O_CLOEXEC)
    with during(f"unable to create {fresh}"):
        target = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with during(f"unable to write to {fresh}"):
        copy(old, target)
    for date, name, _ in found:
        append(base, name, date, target, fresh)
    with during(f"unable to write to {fresh}"):
        sync_file(target)
        os.close(target)
    with during(f"unable to move {fresh} to {mbox}"):
        os.rename(fresh, mbox)
        sync_folder(os.path.dirname(mbox) or ".")
    for _, name, _ in found:
        try:
            os.unlink(base + b"/" + name)
        except OSError as problem:
            complain(f"maildir2mbox: warning: $MAILDIR/{os.fsdecode(name)} will be delivered twice; unable to unlink: {wording(problem.errno)}")
    os.close(old)
    os.close(locked)  # and with it the lock


def append(base: bytes, name: bytes, date: float, target: int, fresh: str) -> None:
    """Append one message.  Raises Temporary."""
    unreadable = f"unable to read $MAILDIR/{os.fsdecode(name)}"
    with during(unreadable):
        fd = os.open(base + b"/" + name, os.O_RDONLY | os.O_CLOEXEC)
    parts = entry(fd, date)
    while True:
        with during(unreadable):
            part = next(parts, None)
        if part is None:
            break
        with during(f"unable to write to {fresh}"):
            write_all(target, part)
    os.close(fd)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    os.umask(0o077)
    for name in ("MAIL", "MAILTMP"):
        if name not in env:
            raise Temporary(f"{name} not set")
    base, now = maildir(env), int(time.time())
    # The two names are taken from the Maildir, as ever, if they are not absolute.
    mbox, fresh = (os.path.join(env["MAILDIR"], env[name]) for name in ("MAIL", "MAILTMP"))
    clean(base, now)
    found = messages(base, now)
    if found:
        move(base, found, mbox, fresh)
    return OK
