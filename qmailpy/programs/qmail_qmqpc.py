"""qmail-qmqpc: hand a message to a QMQP server, in the place of qmail-queue.  See qmail-qmqpc(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, Temporary
from qmailpy.home import here
from qmailpy.queue.exitcodes import BAD_ENVELOPE, NO_HOME, OUT_OF_MEMORY, READ_ERROR, REJECTED, WRITE_ERROR
from qmailpy.remote.route import place
from qmailpy.settings.load import load
from qmailpy.text.netstring import encoded
from qmailpy.unix.fds import read_all
from qmailpy.unix.net import Stream, connect
from qmailpy.unix.signals import shielded
from qmailpy.unix.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

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


def addresses(envelope: bytes) -> Iterator[bytes]:
    """The sender and the recipients as netstrings.  Raises Failed for anything else than an envelope (qmail-queue(8))."""
    wanted = b"F"
    for record in envelope.split(b"\0")[:-1]:
        if not record and wanted == b"T":
            return
        if record[:1] != wanted:
            break
        wanted = b"T"
        yield encoded(record[1:])
    raise Failed(BAD_ENVELOPE)


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
    """The exit code for the server's answer.  Raises OSError, Failed."""
    seen = 0
    while data := stream.receive():
        for byte in data:
            if byte in ANSWERS:
                return ANSWERS[byte]
        seen += len(data)
        if seen > REPLY_LIMIT:
            break
    raise Failed(BROKEN)


def offer(stream: Stream, message: Spool, envelope: bytes) -> int:
    """Send everything; the exit code for the answer.  Raises Failed."""
    head = b"%d:" % message.size
    try:
        stream.send(b"%d:%s" % (len(head) + message.size + 1 + len(envelope), head))
        blocks = message.blocks()
        while True:
            try:
                block = next(blocks, b"")
            except OSError:
                raise Failed(READ_ERROR) from None
            if not block:
                break
            stream.send(block)
        stream.send(b"," + envelope + b",")
        return answer(stream)
    except OSError:
        raise Failed(BROKEN) from None
    finally:
        stream.close()


def send() -> int:
    """The exit code.  Raises Failed."""
    found = servers()
    try:
        message = Spool(0)
    except OSError as problem:
        raise Failed(WRITE_ERROR if problem.filename else READ_ERROR) from None
    try:
        envelope = b"".join(addresses(read_all(1)))
    except OSError:
        raise Failed(READ_ERROR) from None
    code = NO_CONTROLS
    for address, port in found:
        try:
            stream = connect(address, port, CONNECT, TALK)
        except TimeoutError:
            code = CONNECT_TIMEOUT
        except OSError:
            code = NO_CONNECTION
        else:
            return offer(stream, message, envelope)
    return code


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    with shielded():
        try:
            return send()
        except Failed as failed:
            return failed.code
        except MemoryError:
            return OUT_OF_MEMORY
