"""mbox entries: the From_ line, and the quoting of lines that look like one (mbox(5))."""

from __future__ import annotations

from qmailpy.text.date import asctime

FROM = b"From "
DASHES = bytes.maketrans(b" \t\n", b"---")
UNDECIDED = 65536  # bytes of > after which a line is taken for what it is so far


def from_line(sender: bytes, now: int) -> bytes:
    """The line that begins an entry."""
    return FROM + (sender.translate(DASHES) or b"MAILER-DAEMON") + b" " + asctime(now) + b"\n"


class Quoter:
    """Puts > before each line that is From_, or such a line quoted; feed it block by block, then finish."""

    __slots__ = ("_pending", "_inside")

    def __init__(self) -> None:
        self._pending = b""  # a line's beginning that may become From_
        self._inside = False  # the next byte belongs to a line that was begun

    def feed(self, data: bytes) -> bytes:
        """What goes into the mbox for these bytes of the message."""
        data = self._pending + data
        self._pending = b""
        head, newline, last = data.rpartition(b"\n")
        whole = head + newline
        if FROM in whole:
            first, *others = whole.split(b"\n")
            whole = b"\n".join([first if self._inside else quoted(first), *map(quoted, others)])
        if newline:
            self._inside = False
        if last and not self._inside and len(last) < UNDECIDED and undecided(last):
            self._pending = last
            return whole
        if last:
            whole += last if self._inside else quoted(last)
            self._inside = True
        return whole

    def finish(self) -> bytes:
        """What ends the entry: the rest of a last line without newline, and an empty line."""
        rest, self._pending = quoted(self._pending), b""
        return rest + (b"\n\n" if rest or self._inside else b"\n")


def quoted(line: bytes) -> bytes:
    """A line, with > in front if it is From_ behind any number of >."""
    return b">" + line if FROM in line and line.lstrip(b">").startswith(FROM) else line


def undecided(line: bytes) -> bool:
    """Whether the beginning of a line may still become From_."""
    return FROM.startswith(line.lstrip(b">"))
