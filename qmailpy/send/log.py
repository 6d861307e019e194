"""qmail-send's log lines, on descriptor 0 (qmail-log(5))."""

from __future__ import annotations

from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SAFE = bytes(0x2F if byte == 0x0A else byte if 33 <= byte <= 126 and byte != 0x25 else 0x5F for byte in range(256))
ENOUGH = 1000  # lines that are written together


def safe(text: bytes) -> str:
    """`text` as one word of a log line: newline is /, what is not printable, space and percent are _."""
    return text.partition(b"\0")[0].translate(SAFE).decode("ascii")


class Log:
    """The log: called with the parts of a line.  Lines are written together, before anything is done that others see: see `flush`.

    before  is called before lines go out: what they call done must not be undone by a kill
    """

    __slots__ = ("before", "_lines")

    def __init__(self) -> None:
        self.before: Callable[[], None] | None = None
        self._lines: list[str] = []

    def __call__(self, *parts: str | int) -> None:
        """Add a line."""
        self._lines.append("".join(map(str, parts)))
        if len(self._lines) >= ENOUGH:
            self.flush()

    def flush(self) -> None:
        """Write what there is.  A log that cannot be written must not stop the mail."""
        if not self._lines:
            return
        if self.before is not None:
            self.before()
        self._lines.append("")
        lines = "\n".join(self._lines).encode("utf-8", "surrogateescape")
        self._lines.clear()
        try:
            write_all(0, lines)
        except OSError:
            pass
