"""A client on two descriptors, which may be pipes: reads and writes that end in time, replies gathered until the next read."""

from __future__ import annotations

import os
import time

from qmailpy.unix.fds import BLOCK, TimedOut, wait_readable, write_in_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol, TypeVar

    What = TypeVar("What")
    Done = TypeVar("Done")

    class Channel(Protocol):
        """How bytes come and go: as they are, or within TLS (unix/tls.py).  All but `ready` and `close` raise Gone, TimedOut."""

        def read(self, most: int, seconds: float) -> bytes:
            """What the client says, at most so many bytes, within that time."""

        def ready(self, seconds: float) -> bool:
            """Whether within that time there is something to read, or the end."""

        def write(self, data: bytes, seconds: float) -> None:
            """Say it all; `seconds` for each piece that the system takes."""

        def close(self) -> None:
            """Say that nothing more will come, where there is a word for it."""


class Gone(OSError):
    """The client has closed its end, or it broke."""


ROUNDING = 0.01  # seconds that a wait may end too early


class Over(TimedOut):
    """The whole session takes too long."""


class Plain:
    """Bytes as they are, on two descriptors that are never made non-blocking: others may share them."""

    __slots__ = ("source", "target", "_is_ready")

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target
        self._is_ready = False  # `ready` has seen something that was not read yet

    def read(self, most: int, seconds: float) -> bytes:
        if not self._is_ready:
            wait_readable(self.source, seconds)
        self._is_ready = False
        try:
            data = os.read(self.source, most)
        except OSError as problem:
            raise Gone(*problem.args) from problem
        if not data:
            raise Gone
        return data

    def ready(self, seconds: float) -> bool:
        try:
            wait_readable(self.source, seconds)
        except TimedOut:
            return False
        self._is_ready = True
        return True

    def write(self, data: bytes, seconds: float) -> None:
        try:
            write_in_time(self.target, data, seconds)
        except TimedOut:
            raise
        except OSError as problem:
            raise Gone(*problem.args) from problem

    def close(self) -> None:
        pass


class Connection:
    """Reads from one descriptor, writes to another, gathering replies.

    timeout  seconds that one read or write may take
    channel  how bytes come and go; another one may take its place when nothing is held
    """

    def __init__(self, source: int, target: int, timeout: float) -> None:
        self.source, self.target, self.timeout = source, target, timeout
        self.channel: Channel = Plain(source, target)
        self._out: list[bytes] = []
        self._held = 0  # bytes in it
        self._limit: float | None = None
        self._end: float | None = None

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

    def until(self, end: float | None) -> None:
        """Reads and writes that go on behind that time of the monotonic clock raise Over; None: they may."""
        self._end = end

    @property
    def deadline(self) -> float | None:
        """When the time for reading is over, on the monotonic clock."""
        return self._limit

    @property
    def end(self) -> float | None:
        """When all is over, likewise."""
        return self._end

    def read(self, most: int = BLOCK) -> bytes:
        """Flush, then what the client says next, at most so many bytes.  Raises Gone, TimedOut."""
        self.flush()
        patience = self._patience()
        if self._limit is not None:
            patience = min(patience, self._limit - time.monotonic())
            if patience <= 0:
                raise TimedOut("timed out")
        return self._in_time(self.channel.read, most, patience)

    def flush(self) -> None:
        """Write what was said.  Raises Gone, TimedOut."""
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            self._held = 0
            self._in_time(self.channel.write, data, self._patience())

    def _patience(self) -> float:
        """Seconds for one read or write.  Raises Over."""
        if self._end is None:
            return self.timeout
        left = self._end - time.monotonic()
        if left <= 0:
            raise Over("timed out")
        return min(self.timeout, left)

    def _in_time(self, work: Callable[[What, float], Done], what: What, seconds: float) -> Done:
        """Read or write.  Raises Over where it is not the client's pause that has been too long, but the session."""
        try:
            return work(what, seconds)
        except TimedOut:
            if self._end is not None and time.monotonic() > self._end - ROUNDING:
                raise Over("timed out") from None
            raise

    def close(self) -> None:
        """End: what was said goes out, whatever the client does; the descriptors stay open."""
        try:
            self.flush()
        except OSError:
            pass
        self.channel.close()
