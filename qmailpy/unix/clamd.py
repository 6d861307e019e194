"""A message on its way through clamd, as it comes (text/clamd.py has the words; aio: clamd).

Nothing here raises but the verdict: what goes wrong on the way is remembered until somebody asks.
"""

from __future__ import annotations

import os
import time

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary
from qmailpy.text import clamd
from qmailpy.unix.ipme import canonical
from qmailpy.unix.net import Stream, connect

HELD = 1 << 18  # bytes of a message that are kept until it is clear that clamd knows INSTREAM: if it does not, it says so at once
ANSWER_LIMIT = 4096  # bytes
LOST = (BrokenPipeError, ConnectionResetError)


class Scan:
    """One message.  The order of calls: put ..., verdict.  `close` at any time gives it up.

    address  as control/clamd has it
    seconds  that a connect, a whole answer or a write may take
    """

    __slots__ = ("_address", "_seconds", "_control", "_stream", "_held", "_room", "_answer", "_cut", "_trouble")

    def __init__(self, address: bytes, seconds: int) -> None:
        self._address, self._seconds = address, max(seconds, 1)
        self._control: Stream | None = None  # where clamd answers; None once it has, or cannot
        self._stream: Stream | None = None  # where the message goes, if it has a connection of its own
        self._held: list[bytes] | None = []
        self._room = HELD
        self._answer = b""
        self._cut = False  # clamd has not taken all of the message
        self._trouble = ""
        try:
            self._begin(clamd.INSTREAM)
        except (OSError, Temporary) as problem:
            self._give_up(problem)

    def put(self, data: bytes) -> None:
        """Pass on more of the message."""
        if self._control is None or not data:
            return
        self._hold(data)
        try:
            if self._stream is not None:
                self._pour(self._stream, data)
            elif not self._told(self._control, clamd.chunk(data)) and not self._settled(self._control):
                self._cut = True
        except (OSError, Temporary) as problem:
            self._give_up(problem)

    def verdict(self) -> bytes | None:
        """End the message: the name of the virus in it; None if there is none.  Raises Temporary if clamd cannot tell, with its reason."""
        try:
            if self._control is not None:
                self._end(self._control)
        except (OSError, Temporary) as problem:
            self._give_up(problem)
        self.close()
        if self._trouble:
            raise Temporary(self._trouble)
        found = clamd.verdict(self._answer)
        if found is None and self._cut:
            raise Temporary("it has not taken all of the message")
        return found

    def close(self) -> None:
        """Hang up."""
        for stream in (self._stream, self._control):
            if stream is not None:
                stream.close()
        self._stream = self._control = self._held = None

    def _begin(self, command: bytes) -> tuple[str, Stream]:
        """Connect to clamd's own port and give the command: clamd's address, and the connection.  Raises OSError, Temporary."""
        where = clamd.address(self._address)
        if where is None or canonical(where[0]) is None:
            raise Temporary(f"control/clamd names no address and port: {os.fsdecode(clamd.printable(self._address))}")
        self._control = connect(*where, self._seconds, self._seconds)
        self._control.send(command)
        return where[0], self._control

    def _hold(self, data: bytes) -> None:
        """Keep what may have to be sent again, as long as it is little."""
        self._room -= len(data)
        if self._room < 0:
            self._held = None
        if self._held is not None:
            self._held.append(data)

    def _told(self, control: Stream, data: bytes) -> bool:
        """Send it; False if clamd has something to say before, or has hung up.  Raises OSError."""
        if control.waiting():
            return False
        try:
            control.send(data)
        except LOST:
            return False
        return True

    def _pour(self, stream: Stream, data: bytes) -> None:
        """Send it as it is; clamd stops reading where a message is too large for it.  Raises OSError."""
        try:
            stream.send(data)
        except LOST:
            self._cut = True

    def _settled(self, control: Stream) -> bool:
        """Hear an answer; True if it only meant that everything must be said in the old way, as it now has been.  Raises OSError, Temporary."""
        self._answer, held = hear(control, self._seconds), self._held
        self.close()
        if not clamd.is_unknown(self._answer) or held is None:
            return False
        host, again = self._begin(clamd.STREAM)
        self._stream = connect(host, clamd.stream_port(hear(again, self._seconds)), self._seconds, self._seconds)
        for data in held:
            self._pour(self._stream, data)
        return True

    def _end(self, control: Stream) -> None:
        """End the message and hear the answer.  Raises OSError, Temporary."""
        if self._stream is None:
            whole = self._told(control, clamd.END)
            if not self._settled(control):
                self._cut = not whole
                return
        self._finish_stream()

    def _finish_stream(self) -> None:
        """The end of a message that has a connection of its own is that connection's end.  Raises OSError, Temporary."""
        assert self._stream is not None and self._control is not None
        self._stream.close()
        self._answer = hear(self._control, self._seconds)

    def _give_up(self, problem: OSError | Temporary) -> None:
        """There will be no verdict."""
        if isinstance(problem, Temporary):
            self._trouble = problem.text
        else:
            self._trouble = "timed out" if isinstance(problem, TimeoutError) else wording(problem.errno)
        self.close()


def hear(control: Stream, seconds: float) -> bytes:
    """The next line that clamd says, whole within so many seconds however it drips.  Raises OSError; Temporary if it hangs up first."""
    said, end = b"", time.monotonic() + seconds
    while (line := clamd.line(said)) is None:
        control.within(end - time.monotonic())
        data = control.receive()
        said += data
        if not data:
            raise Temporary("it hung up without an answer")
        if len(said) > ANSWER_LIMIT:
            raise Temporary("it says too much")
    control.within(seconds)
    return line
