"""What clamd is told, and what it answers (clamd(8); aio: clamd).

INSTREAM: chunks follow, each behind its length in four bytes, big-endian; an empty one ends the message.  STREAM, of versions
that do not know INSTREAM: the answer names a port, and the message goes there as it is, on a second connection.
Every answer is one line, ended by NUL or LF as the command was.
"""

from __future__ import annotations

from qmailpy.exits import Temporary

INSTREAM, STREAM = b"zINSTREAM\0", b"STREAM\n"
END = bytes(4)
CLEAN, FOUND = b"OK", b" FOUND"
NAME_LIMIT = 100  # bytes of a virus's name that are told


def address(text: bytes) -> tuple[str, int] | None:
    """(IP address, port) of `address:port` or `[address]:port`; None if it is neither."""
    host, _, port = text.rpartition(b":")
    if host.startswith(b"[") and host.endswith(b"]"):
        host = host[1:-1]
    elif b":" in host:
        return None
    found = number(port)
    return (host.decode("ascii", "replace"), found) if host and found else None


def number(text: bytes) -> int:
    """The port that the digits name; 0 if they name none."""
    return int(text) if text.isdigit() and len(text) <= 5 and int(text) < 65536 else 0


def chunk(data: bytes) -> bytes:
    """A piece of the message for INSTREAM; it must not be empty."""
    return len(data).to_bytes(4, "big") + data


def line(answer: bytes) -> bytes | None:
    """The whole line that an answer begins with; None as long as its end is missing."""
    ends = [at for at in (answer.find(b"\0"), answer.find(b"\n")) if at >= 0]
    return answer[:min(ends)] if ends else None


def is_unknown(answer: bytes) -> bool:
    """Whether clamd does not know the command."""
    return answer.startswith(b"UNKNOWN COMMAND")


def stream_port(answer: bytes) -> int:
    """The port that the answer to STREAM names.  Raises Temporary."""
    word, _, port = answer.partition(b" ")
    found = number(port)
    if word != b"PORT" or not found:
        raise odd(answer)
    return found


def verdict(answer: bytes) -> bytes | None:
    """The name of the virus that was found; None if there is none.  Raises Temporary, with the answer, if clamd could not tell."""
    _, _, words = answer.partition(b": ")
    if words == CLEAN:
        return None
    if words.endswith(FOUND):
        return printable(words.removesuffix(FOUND)[:NAME_LIMIT])
    raise odd(answer)


def odd(answer: bytes) -> Temporary:
    """What is raised for any other answer."""
    return Temporary(f"it says {printable(answer[:200]).decode('ascii')}")


def printable(text: bytes) -> bytes:
    """The text with a question mark for each byte that is not printable ASCII."""
    return bytes(byte if 32 <= byte <= 126 else 0x3F for byte in text)
