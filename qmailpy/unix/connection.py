"""A client on two descriptors, which may be pipes: reads and writes that end in time, replies gathered until the next read."""

from __future__ import annotations

import os
import select
import time

from qmailpy.unix.fds import BLOCK, TimedOut, wait_readable, wait_writable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Gone(OSError):
    """The client has closed its end, or it broke."""


class Connection:
    """Reads from one descriptor, writes to another, never making either of them non-blocking: others may share them.

    timeout  seconds that one read or write may take
    """

    def __init__(self, source: int, target: int, timeout: float) -> None:
        self.source, self.target, self.timeout = source, target, timeout
        self._out: list[bytes] = []
        self._held = 0  # bytes in it
        self._limit: float | None = None

    def say(self, data: bytes) -> None:
        """Keep bytes until the next read or flush, or until they are many.  Raises Gone, TimedOut."""
        self._out.append(data)
        self._held += len(data)
        if self._held >= BLOCK:
            self.flush()

    def say_all(self, replies: Iterable[bytes]) -> bool:
        """The same for several, as they come; whether there were any."""
        some = False
        for one in replies:
            self.say(one)
            some = True
        return some

    def within(self, seconds: float | None) -> None:
        """All that is read from now on must come within `seconds`; None: no such limit."""
        self._limit = None if seconds is None else time.monotonic() + seconds

    def read(self, most: int = BLOCK) -> bytes:
        """Flush, then what the client says next, at most so many bytes.  Raises Gone, TimedOut."""
        self.flush()
        patience = self.timeout
        if self._limit is not None:
            patience = min(patience, self._limit - time.monotonic())
            if patience <= 0:
                raise TimedOut("timed out")
        wait_readable(self.source, patience)
        try:
            data = os.read(self.source, most)
        except OSError as problem:
            raise Gone(*problem.args) from problem
        if not data:
            raise Gone
        return data

    def flush(self) -> None:
        """Write what was said.  Raises Gone, TimedOut."""
        data = memoryview(b"".join(self._out))
        self._out.clear()
        self._held = 0
        while data:
            wait_writable(self.target, self.timeout)
            try:
                # No more than a pipe is sure to take, so that a client that does not read cannot hold the write.
                data = data[os.write(self.target, data[:select.PIPE_BUF]):]
            except OSError as problem:
                raise Gone(*problem.args) from problem
