"""A message on a descriptor, read in two parts: its header fields, which are held in memory, and its body, which is not."""

from __future__ import annotations

import os

from qmailpy.exits import Permanent, Temporary
from qmailpy.text.header import name
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER_LIMIT = 16 << 20  # bytes


class Message:
    """A message read from a descriptor: first its fields, then its body."""

    def __init__(self, fd: int) -> None:
        self._fd, self._size = fd, 0
        self._block, self._at = b"", 0  # the block read last, and how much of it has been given out
        self._begin = b""  # of the body, where it is not in the block

    def fields(self) -> Iterator[bytes]:
        """Each field with its continuation lines.  Raises Permanent where the header is too long."""
        found: list[bytes] = []
        for line in self._lines():
            if found and line[:1] in (b" ", b"\t"):
                found.append(line)
                continue
            if found:
                yield b"".join(found)
                found = []
            if line.startswith(b"From "):  # an mbox's separator
                line = b"MBOX-Line: " + line
            elif not name(line):  # a body without blank line before it gets one
                self._begin = line if line == b"\n" else b"\n" + line
                break
            found = [line]
        if found:
            yield b"".join(found)

    def body(self) -> Iterator[bytes]:
        """What follows the fields, block by block, from the blank line on; it ends with a newline."""
        last, block = b"\n", self._begin + self._block[self._at:]
        while block:
            yield block
            last, block = block[-1:], self._read()
        if last != b"\n":
            yield b"\n"

    def _lines(self) -> Iterator[bytes]:
        """The lines up to the end of the input, the last with a newline, too."""
        parts: list[bytes] = []
        while block := self._read():
            self._size += len(block)
            if self._size > HEADER_LIMIT:
                raise Permanent(f"header is longer than {HEADER_LIMIT} bytes")
            self._block, self._at = block, 0
            while end := block.find(b"\n", self._at) + 1:
                parts.append(block[self._at:end])
                self._at = end
                yield b"".join(parts)
                parts = []
            parts.append(block[self._at:])
        self._block, self._at = b"", 0
        if line := b"".join(parts):
            yield line + b"\n"

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, BLOCK)
        except OSError as problem:
            raise Temporary("read error") from problem
