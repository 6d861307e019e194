"""Bytes to lines, as they come: each ended by LF, of limited length (RFC 5321 section 4.5.3.1)."""

from __future__ import annotations


class LineBuffer:
    """What was received and not yet used.

    A line longer than `limit` is given as None, once its end has come; meanwhile no more than `limit` of it is kept.
    """

    __slots__ = ("_data", "_at", "_limit", "_skipping")

    def __init__(self, limit: int) -> None:
        self._data = b""
        self._at = 0  # where what is not used yet begins: many lines in one block are not copied many times
        self._limit = limit
        self._skipping = False  # inside a line that is too long

    @property
    def empty(self) -> bool:
        """Whether there is not even the beginning of a line."""
        return self._at == len(self._data) and not self._skipping

    def add(self, data: bytes) -> None:
        """Take what was received."""
        if data:
            self._data = self.take() + data

    def next_line(self) -> tuple[bytes | None] | None:
        """(the next line without its LF,), or (None,) for one that was too long; None while there is no whole line."""
        end = self._data.find(b"\n", self._at)
        if end < 0:
            self._data = self.take()
            if len(self._data) > self._limit:
                self._data, self._skipping = b"", True
            return None
        line = self._data[self._at:end]
        self._at = end + 1
        if self._skipping or len(line) > self._limit:
            self._skipping = False
            return (None,)
        return (line,)

    def take(self) -> bytes:
        """All that is left, which is not lines any more."""
        data = self._data[self._at:]
        self._data, self._at = b"", 0
        return data
