"""Log lines as syslog entries: a stamp each, a kind by the first word, long lines in parts (splogger(8))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

WIDTH = 799  # bytes of a line that fit into one entry; loggers cut longer ones
SAFE = bytes(byte if 32 <= byte <= 126 else 0x3F for byte in range(256))
KINDS = ("warning", "alert")


def printable(line: bytes) -> str:
    """A line with a question mark for each byte that is not printable."""
    return line.translate(SAFE).decode("ascii")


class Entry:
    """One entry: `kind` is info, warning or alert."""

    __slots__ = ("kind", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text


class LogLines:
    """Makes entries of what comes; what is behind the last newline waits for its own.

    stamp  gives the time in words, once for each line
    """

    __slots__ = ("_stamp", "_part", "_kind", "_marked")

    def __init__(self, stamp: Callable[[], str]) -> None:
        self._stamp = stamp
        self._part = b""  # of a line, not yet given out
        self._kind = ""  # of a line that was begun; "" at a line's start
        self._marked = ""  # its stamp

    def feed(self, data: bytes) -> Iterator[Entry]:
        """Take a block."""
        *lines, rest = (self._part + data).split(b"\n")
        for line in lines:
            yield from self._whole(line, last=True)
            self._kind = ""
        self._part = yield from self._whole(rest, last=False)

    def _whole(self, line: bytes, *, last: bool) -> Generator[Entry, None, bytes]:
        """The entries of a line, or of what has come of it; returns what is left over."""
        while len(line) > WIDTH or (last and line):
            yield self._entry(line[:WIDTH])
            line = line[WIDTH:]
        return line

    def _entry(self, part: bytes) -> Entry:
        text = printable(part)
        if self._kind:
            return Entry(self._kind, f"{self._marked}+{text}")
        self._kind = next((kind for kind in KINDS if text.startswith(kind + ":")), "info")
        self._marked = self._stamp()
        return Entry(self._kind, f"{self._marked} {text}")
