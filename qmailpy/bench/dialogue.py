"""The message that is sent, and what a server says that takes everything (RFC 5321)."""

from __future__ import annotations

LOCAL, REMOTE = "bench.example", "remote.example"  # delivered here; sent on to the sink
SENDER = f"sender@{REMOTE}"
USER = "bench"
BODY = b"Subject: benchmark\n\n" + b"Some text, as long as a line of a message usually is.\n" * 40
WIRE = BODY.replace(b"\n", b"\r\n") + b".\r\n"
END = b"\r\n.\r\n"


def commands(recipient: str) -> list[tuple[bytes, bytes]]:
    """What a client sends, each with the digit that the reply must begin with; the greeting first, that nothing is sent for."""
    return [(b"", b"2"), (f"HELO {REMOTE}\r\n".encode(), b"2"), (f"MAIL FROM:<{SENDER}>\r\n".encode(), b"2"),
            (f"RCPT TO:<{recipient}>\r\n".encode(), b"2"), (b"DATA\r\n", b"3"), (WIRE, b"2"), (b"QUIT\r\n", b"2")]


class Sink:
    """One session of a server that takes every message and keeps none.  Does no input or output: `feed` gives what to answer.

    taken   messages so far
    closed  QUIT was said
    """

    __slots__ = ("taken", "closed", "_pending", "_in_data")

    GREETING = f"220 {REMOTE} ESMTP\r\n".encode()

    def __init__(self) -> None:
        self.taken, self.closed = 0, False
        self._pending = b""
        self._in_data = False

    def feed(self, data: bytes) -> bytes:
        """The replies to what came."""
        self._pending += data
        replies = []
        while not self.closed:
            before, end, rest = self._pending.partition(END if self._in_data else b"\r\n")
            if not end:
                break
            # The CR LF that ends the DATA line is the one that a message of nothing but a dot begins with.
            self._pending = b"\r\n" + rest if before[:4].upper() == b"DATA" and not self._in_data else rest
            replies.append(self._answer(before[:4].upper()))
        return b"".join(replies)

    def _answer(self, verb: bytes) -> bytes:
        if self._in_data:
            self._in_data = False
            self.taken += 1
            return b"250 taken\r\n"
        if verb == b"DATA":
            self._in_data = True
            return b"354 go ahead\r\n"
        if verb == b"QUIT":
            self.closed = True
            return b"221 bye\r\n"
        return b"250 ok\r\n"
