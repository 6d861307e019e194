"""A .qmail file into a list of instructions, and which file it is for an address (dot-qmail(5))."""

from __future__ import annotations

from qmailpy.exits import Temporary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MBOX, MAILDIR, PROGRAM, FORWARD = "mbox", "maildir", "program", "forward"
DEFAULT = b"default"


class Instruction:
    """One line: what to do, and with which file, command or address; `line` for the log of a dry run."""

    __slots__ = ("kind", "text", "line")

    def __init__(self, kind: str, text: bytes) -> None:
        self.kind, self.text = kind, text
        self.line = kind.encode() + b" " + text


class Forbidden(Temporary):
    """A file or program delivery in a file that may only forward."""


def parse(data: bytes, *, forward_only: bool = False) -> Iterator[Instruction]:
    """Yield the instructions of a .qmail file, or of the default delivery, in order.

    forward_only  the file has the x bit set; a line +list has the same effect for what follows it
    Raises Temporary at the line that cannot be obeyed; the lines before it have been.
    """
    for number, row in enumerate(data.split(b"\n")):
        line = row.partition(b"\0")[0].rstrip(b" \t")
        if not line:
            if number == 0:
                raise Temporary("Uh-oh: first line of .qmail file is blank. (#4.2.1)")
        elif line == b"+list":
            forward_only = True
        elif line[:1] in (b".", b"/"):
            if forward_only:
                raise Forbidden("Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)")
            yield Instruction(MAILDIR if line.endswith(b"/") else MBOX, line)
        elif line[:1] == b"|":
            if forward_only:
                raise Forbidden("Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)")
            yield Instruction(PROGRAM, line[1:])
        elif line[:1] not in (b"#", b"+"):
            yield Instruction(FORWARD, line.removeprefix(b"&"))


def safe(extension: bytes) -> bytes:
    """An extension as it stands in file names: in lower case, with colons for dots, so that no .. can lead anywhere."""
    return extension.lower().replace(b".", b":")


def candidates(dash: bytes, extension: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """(file name, what DEFAULT is; None: not set) for an address, in the order in which they are looked for."""
    name, words = b".qmail" + dash, safe(extension)
    yield name + words, extension[len(words) - len(DEFAULT):] if words.endswith(DEFAULT) else None
    for end in range(len(words), -1, -1):
        if end == 0 or words[end - 1:end] == b"-":
            yield name + words[:end] + DEFAULT, extension[end:]
