"""qmail-send's log lines, on descriptor 0 (qmail-log(5))."""

from __future__ import annotations

from qmailpy.unix.fds import write_all

SAFE = bytes(0x2F if byte == 0x0A else byte if 33 <= byte <= 126 and byte != 0x25 else 0x5F for byte in range(256))
ENOUGH = 100  # lines that are written together


def safe(text: bytes) -> bytes:
    """`text` as one word of a log line: newline is /, what is not printable, space and percent are _."""
    return text.partition(b"\0")[0].translate(SAFE)


class Log:
    """The log: called with the parts of a line.  Lines are written together, before anything is done that others see: see `flush`."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def __call__(self, *parts: str | bytes | int) -> None:
        """Add a line."""
        self._lines.append(b"".join([part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape") for part in parts]))
        if len(self._lines) >= ENOUGH:
            self.flush()

    def flush(self) -> None:
        """Write what there is.  A log that cannot be written must not stop the mail."""
        if not self._lines:
            return
        self._lines.append(b"")
        lines = b"\n".join(self._lines)
        self._lines.clear()
        try:
            write_all(0, lines)
        except OSError:
            pass
