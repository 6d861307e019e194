"""qmail-send's log lines, on descriptor 0 (qmail-log(5))."""

from __future__ import annotations

from qmailpy.unix.fds import write_all

SAFE = bytes(0x2F if byte == 0x0A else byte if 33 <= byte <= 126 and byte != 0x25 else 0x5F for byte in range(256))


def safe(text: bytes) -> bytes:
    """`text` as one word of a log line: newline is /, what is not printable, space and percent are _."""
    return text.partition(b"\0")[0].translate(SAFE)


def log(*parts: str | bytes | int) -> None:
    """Write one line.  A log that cannot be written must not stop the mail."""
    line = b"".join(part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape") for part in parts)
    try:
        write_all(0, line + b"\n")
    except OSError:
        pass
