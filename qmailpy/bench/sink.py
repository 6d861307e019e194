"""Where mail for other hosts goes: an SMTP server on 127.0.0.1, in a process of its own, that takes everything and counts it."""

from __future__ import annotations

import os
import time

from qmailpy.bench.client import HERE
from qmailpy.bench.dialogue import Sink
from qmailpy.bench.measure import Failed
from qmailpy.unix.fds import BLOCK, TimedOut, wait_readable, write_all
from qmailpy.unix.listen import Listener, Peer
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import end, fork_working, pipe

BACKLOG = 128
PATIENCE = 10  # seconds to end


class SinkProcess:
    """The running server: `port`, and a byte on a pipe for each message that it took."""

    def __init__(self) -> None:
        self._news, target = pipe()
        self._pid = fork_working(serve, {1: target, 2: 2})
        os.close(target)
        wait_readable(self._news, PATIENCE)
        self.port = int(os.read(self._news, 16))

    def wait(self, count: int, seconds: float) -> None:
        """Wait for so many more messages.  Raises Failed if they do not come in so many seconds."""
        limit = time.monotonic() + seconds
        try:
            while count > 0:
                wait_readable(self._news, limit - time.monotonic())
                count -= len(os.read(self._news, count))
        except TimedOut:
            raise Failed(f"{count} messages did not come within {seconds} seconds") from None

    def forget(self) -> None:
        """Forget messages that nobody waits for any more."""
        try:
            while True:
                wait_readable(self._news, 0)
                os.read(self._news, BLOCK)
        except TimedOut:
            pass

    def close(self) -> None:
        """End it."""
        end(self._pid, PATIENCE)
        os.close(self._news)


def serve() -> int:
    """Listen, say the port on descriptor 1, serve for ever."""
    listener, poll = Listener(HERE, 0, BACKLOG), Poll()
    write_all(1, b"%d\n" % listener.port)
    poll.add(listener.fileno())
    sessions: dict[int, tuple[Peer, Sink]] = {}
    while True:
        for fd in poll.wait():
            if fd not in sessions:
                if (new := listener.accept()) is None or not answer(new, Sink.GREETING):
                    continue
                sessions[new.fileno()] = new, Sink()
                poll.add(new.fileno())
            elif not talk(*sessions[fd]):
                poll.drop(fd)
                sessions.pop(fd)[0].close()


def answer(peer: Peer, data: bytes) -> bool:
    """Say something to a client; whether it is still there."""
    try:
        peer.connection.sendall(data)
    except OSError:
        peer.close()
        return False
    return True


def talk(peer: Peer, session: Sink) -> bool:
    """Answer what a client says; whether it has more to say."""
    before = session.taken
    try:
        data = peer.connection.recv(BLOCK)
        peer.connection.sendall(session.feed(data))
    except OSError:
        return False
    if session.taken > before:
        write_all(1, b"." * (session.taken - before))
    return bool(data) and not session.closed
