"""A pass: going through the recipients of one message on one channel, beginning a delivery for each (C: pass)."""

from __future__ import annotations

import os

from qmailpy.text.envelope import DONE, RECIPIENT, RecordReader
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.send.jobs import Job


class OddRecord(Exception):
    """A record that is neither T nor D."""


class Pass:
    """The recipients of one job, from its file, block by block, or from memory.

    fd       the open file, which belongs to the pass then; -1: `records` has all there is
    records  what comes first
    """

    __slots__ = ("job", "_fd", "_reader")

    def __init__(self, job: Job, fd: int, records: bytes = b"") -> None:
        self.job, self._fd = job, fd
        self._reader = RecordReader()
        if records:
            self._reader.feed(records)

    def next_recipient(self) -> tuple[bytes, int] | None:
        """(the next recipient that is not done, where its record begins); None at the end.  Raises OSError, OddRecord."""
        while True:
            while (found := self._reader.next_record()) is not None:
                letter, text, position = found
                if letter == RECIPIENT:
                    return text, position
                if letter != DONE:
                    raise OddRecord
            data = os.read(self._fd, BLOCK) if self._fd != -1 else b""
            if not data:
                return None  # a record without its end was never written whole
            self._reader.feed(data)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd != -1:
            os.close(self._fd)
