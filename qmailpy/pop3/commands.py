"""Command lines of POP3, and answers (RFC 1939 section 3)."""

from __future__ import annotations

from qmailpy.text.lines import LineBuffer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_LIMIT = 4096  # bytes of a command; the standard allows 255 (RFC 2449 section 4), names and passwords in the field are longer
OK = b"+OK \r\n"


def okay(text: bytes) -> bytes:
    """A good answer that says something."""
    return b"+OK %s\r\n" % text


def error(text: str) -> bytes:
    """A refusal."""
    return f"-ERR {text}\r\n".encode()


LINE_TOO_LONG = error("line too long")
TOO_MANY = error("too many commands")


class CommandReader:
    """Cuts what a client says into commands.  `more`: how many it may still give."""

    __slots__ = ("more", "_lines")

    def __init__(self, most: int) -> None:
        self.more = most
        self._lines = LineBuffer(LINE_LIMIT)

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes] | None]:
        """(verb in lower case, argument) of each whole line; None for a line that is too long.  Whoever reads them ends when `more` is below 0."""
        self._lines.add(data)
        while (found := self._lines.next_line()) is not None:
            self.more -= 1
            line = found[0]
            if line is None:
                yield None
                continue
            # A NUL ends a line as it does in C: what follows it must reach nobody.
            verb, _, argument = line.removesuffix(b"\r").partition(b"\0")[0].partition(b" ")
            yield verb.lower(), argument.lstrip(b" ")
