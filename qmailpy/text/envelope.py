"""The records of todo/N, info/N, local/N and remote/N: a letter, text, NUL (envelopes(5), INTERNALS: The queue)."""

from __future__ import annotations

UID, PID, SENDER, RECIPIENT, DONE = b"u", b"p", b"F", b"T", b"D"


class Malformed(ValueError):
    """The records make no sense."""


class RecordReader:
    """Cuts a file into records, given block by block; `position` is where the next record begins."""

    __slots__ = ("position", "_records", "_rest", "_at")

    def __init__(self) -> None:
        self.position = 0
        self._records: list[bytes] = []
        self._rest = b""
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Take a block."""
        whole = (self._rest + data).split(b"\0")
        self._rest = whole.pop()
        self._records, self._at = self._records[self._at:] + whole, 0

    def next_record(self) -> tuple[bytes, bytes, int] | None:
        """(letter, text, where the record begins); None until more is fed.  An empty record is (b"", b"", ..)."""
        if self._at == len(self._records):
            return None
        record = self._records[self._at]
        self._at += 1
        begin, self.position = self.position, self.position + len(record) + 1
        return record[:1], record[1:], begin


def sender_of(info: bytes) -> bytes | None:
    """The sender that the content of info/N tells; None if it is cut short or something else."""
    record, nul, _ = info.partition(b"\0")
    return record[1:] if nul and record[:1] == SENDER else None


def number(text: bytes) -> int:
    """The leading digits of a record's text, at most twenty; 0 without any."""
    digits = text[: len(text) - len(text.lstrip(b"0123456789"))]
    return int(digits[:20] or b"0")
