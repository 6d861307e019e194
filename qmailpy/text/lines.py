"""Bytes to lines, as they come: each ended by LF, of limited length (RFC 5321 section 4.5.3.1)."""

from __future__ import annotations


class LineBuffer:
    """What was received and not yet used.

    A line longer than `limit` is given as None, once its end has come; meanwhile no more than `limit` of it is kept.
    """

    __slots__ = ("_data", "_limit", "_skipping")

    def __init__(self, limit: int) -> None:
        self._data = b""
        self._limit = limit
        self._skipping = False  # inside a line that is too long

    def add(self, data: bytes) -> None:
        """Take what was received."""
        self._data += data

    def next_line(self) -> tuple[bytes | None] | None:
        """(the next line without its LF,), or (None,) for one that was too long; None while there is no whole line."""
        line, newline, rest = self._data.partition(b"\n")
        if not newline:
            if len(self._data) > self._limit:
                self._data, self._skipping = b"", True
            return None
        self._data = rest
        if self._skipping or len(line) > self._limit:
            self._skipping = False
            return (None,)
        return (line,)

    def take(self) -> bytes:
        """All that is left, which is not lines any more."""
        data, self._data = self._data, b""
        return data

