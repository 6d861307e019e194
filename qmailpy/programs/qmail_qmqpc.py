"""qmail-qmqpc: hand a message to a QMQP server, in the place of qmail-queue.  See qmail-qmqpc(8).

Servers are tried in turn until one is connected to.  From then on there is no other: it may have queued the message, whatever happens.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, Temporary
from qmailpy.home import here
from qmailpy.queue.exitcodes import ADDRESS_TOO_LONG, BAD_ENVELOPE, NO_HOME, OUT_OF_MEMORY, READ_ERROR, REJECTED, WRITE_ERROR
from qmailpy.queue.put import ADDRESS_LIMIT
from qmailpy.remote.route import place
from qmailpy.settings.load import load
from qmailpy.text.netstring import encoded
from qmailpy.unix.fds import BLOCK
from qmailpy.unix.net import Stream, connect
from qmailpy.unix.signals import shielded
from qmailpy.unix.spool import NoRoom, Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

NO_CONTROLS, TEMPORARILY, CONNECT_TIMEOUT, NO_CONNECTION, BROKEN = 55, 71, 72, 73, 74  # exit codes (qmail-qmqpc(8))
PORT = 628
CONNECT, TALK = 10, 60  # seconds
REPLY_LIMIT = 65536  # bytes of an answer in which its letter must come
ANSWERS = {ord("K"): OK, ord("Z"): TEMPORARILY, ord("D"): REJECTED}


class Failed(Exception):
    """The message is not queued; `code` is the exit code that says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def addresses(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The sender and the recipients as netstrings, block by block.  Raises Failed for anything else than an envelope (qmail-queue(8))."""
    wanted, rest = b"F", b""
    for block in blocks:
        *records, rest = (rest + block).split(b"\0")
        found: list[bytes] = []
        for record in records:
            if not record and wanted == b"T":
                yield b"".join(found)
                return
            if record[:1] != wanted:
                raise Failed(BAD_ENVELOPE)
            if len(record) > ADDRESS_LIMIT:
                raise Failed(ADDRESS_TOO_LONG)
            wanted = b"T"
            found.append(encoded(record[1:]))
        if len(rest) > ADDRESS_LIMIT:
            raise Failed(ADDRESS_TOO_LONG)
        yield b"".join(found)
    raise Failed(BAD_ENVELOPE)


def blocks_of(fd: int) -> Iterator[bytes]:
    """What a descriptor gives.  Raises OSError."""
    while data := os.read(fd, BLOCK):
        yield data


def servers() -> list[tuple[str, int]]:
    """(address, port) of those in control/qmqpservers.  Raises Failed."""
    home = here()
    if not os.path.isdir(home.path):
        raise Failed(NO_HOME)
    try:
        found = load(home, ("qmqpservers",)).list("qmqpservers")
    except Temporary:
        raise Failed(NO_CONTROLS) from None
    if found is None:
        raise Failed(NO_CONTROLS)
    return [server for row in found if (server := place(row, PORT)) is not None]


def answer(stream: Stream) -> int:
    """The exit code for the server's answer, which must come within TALK seconds however it drips.  Raises OSError, Failed."""
    seen, end = 0, time.monotonic() + TALK
    while True:
        stream.within(end - time.monotonic())
        if not (data := stream.receive()):
            break
        for byte in data:
            if byte in ANSWERS:
                return ANSWERS[byte]
        seen += len(data)
        if seen > REPLY_LIMIT:
            break
    raise Failed(BROKEN)


def offer(stream: Stream, message: Spool, envelope: Spool) -> int:
    """Send everything; the exit code for the answer.  Raises Failed."""
    head = b"%d:" % message.size
    try:
        stream.send(b"%d:%s" % (len(head) + message.size + 1 + envelope.size, head))
        for block in readable(message):
            stream.send(block)
        stream.send(b",")
        for block in readable(envelope):
            stream.send(block)
        stream.send(b",")
        return answer(stream)
    except OSError:
        raise Failed(BROKEN) from None
    finally:
        stream.close()


def readable(kept: Spool) -> Iterator[bytes]:
    """Its blocks.  Raises Failed if it cannot be read, which is not the server's fault."""
    try:
        yield from kept.blocks()
    except OSError:
        raise Failed(READ_ERROR) from None


def take_in() -> tuple[Spool, Spool]:
    """The message on descriptor 0, and the envelope on descriptor 1 as netstrings.  Raises Failed."""
    try:
        message, envelope = Spool(0), Spool()
        for strings in addresses(blocks_of(1)):
            envelope.add(strings)
    except NoRoom:
        raise Failed(WRITE_ERROR) from None
    except OSError:
        raise Failed(READ_ERROR) from None
    return message, envelope


def reach(found: Iterable[tuple[str, int]]) -> Stream:
    """A connection to the first server that takes one.  Raises Failed."""
    code = NO_CONTROLS
    for address, port in found:
        try:
            return connect(address, port, CONNECT, TALK)
        except TimeoutError:
            code = CONNECT_TIMEOUT
        except OSError:
            code = NO_CONNECTION
    raise Failed(code)


def send() -> int:
    """The exit code.  Raises Failed."""
    found = servers()
    message, envelope = take_in()
    try:
        return offer(reach(found), message, envelope)
    finally:
        message.close()
        envelope.close()


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    with shielded():
        try:
            return send()
        except Failed as failed:
            return failed.code
        except MemoryError:
            return OUT_OF_MEMORY
