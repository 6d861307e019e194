"""Clients: messages sent by SMTP to 127.0.0.1, each over a connection of its own, by several processes at a time."""

from __future__ import annotations

import time

from qmailpy.bench.dialogue import commands
from qmailpy.bench.measure import Failed
from qmailpy.unix.net import connect
from qmailpy.unix.process import fork_working, standard, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.unix.net import Stream

HERE = "127.0.0.1"
SESSIONS = 8  # at a time
PATIENCE = 60  # seconds for a server's reply


def open_session(port: int, recipient: str, steps: int) -> Stream:
    """Go the first steps of a session: 2 end behind HELO, all of them (None) behind QUIT.  Raises Failed, OSError."""
    stream = connect(HERE, port, PATIENCE, PATIENCE)
    try:
        for said, wanted in commands(recipient)[:steps]:
            if said:
                stream.send(said)
            if not (reply := read_reply(stream)).startswith(wanted):
                raise Failed(f"{said[:40].decode().strip() or 'the greeting'} was answered {reply.decode('latin-1').strip() or 'by hanging up'}")
    except BaseException:
        stream.close()
        raise
    return stream


def read_reply(stream: Stream) -> bytes:
    """One reply of a single line.  Raises OSError."""
    reply = b""
    while not reply.endswith(b"\n"):
        data = stream.receive()
        if not data:
            break
        reply += data
    return reply


def send(port: int, recipient: str) -> None:
    """Send one message.  Raises Failed."""
    try:
        open_session(port, recipient, len(commands(recipient))).close()
    except OSError as problem:
        raise Failed(f"a session broke off: {problem}") from problem


def send_many(port: int, recipient: str, count: int) -> float:
    """Send so many messages; seconds from the first connection to the last answer.  Raises Failed."""
    shares = [count // SESSIONS + (number < count % SESSIONS) for number in range(SESSIONS)]
    begun = time.perf_counter()
    children = [fork_working(lambda share=share: send_share(port, recipient, share), standard()) for share in shares if share]  # type: ignore[misc]
    worked = [wait(pid) == 0 for pid in children]
    seconds = time.perf_counter() - begun
    if not all(worked):
        send(port, recipient)  # says what is wrong, if it still is
        raise Failed(f"{worked.count(False)} of {len(worked)} clients could not send their messages")
    return seconds


def send_share(port: int, recipient: str, count: int) -> int:
    """What one client does."""
    for _ in range(count):
        send(port, recipient)
    return 0
