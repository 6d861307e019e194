"""Netstrings: LENGTH, colon, that many bytes, comma.  Read piece by piece, so that a long one is never held in memory."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HUGE = 200_000_000  # a length that goes on behind this is refused (C: getlen)
COLON, COMMA = b":,"


class Malformed(ValueError):
    """What comes is no netstring, or reaches beyond the one that holds it."""


class TooLong(ValueError):
    """A length that nobody can mean."""


class Ended(Exception):
    """The input ends in the middle, or before it begins."""


def encoded(data: bytes) -> bytes:
    """`data` as a netstring."""
    return b"%d:%s," % (len(data), data)


class Reader:
    """Takes netstrings apart, also nested ones.

    read  gives the next bytes of the input, b"" at its end
    left  how many bytes may still be taken; None: any number.  Set it to the length of an outer netstring before reading inside.

    Every method may raise Malformed, TooLong or Ended.
    """

    __slots__ = ("left", "_read", "_data", "_at")

    def __init__(self, read: Callable[[], bytes], left: int | None = None) -> None:
        self.left = left
        self._read = read
        self._data, self._at = b"", 0

    def length(self, *, fits: bool = True) -> int:
        """A length and its colon; `fits`: what it announces must fit into `left`, with its comma."""
        size = 0
        while (byte := self._byte()) != COLON:
            if size > HUGE:
                raise TooLong
            if not 0x30 <= byte <= 0x39:
                raise Malformed
            size = 10 * size + byte - 0x30
        if fits and self.left is not None and size >= self.left:
            raise Malformed
        return size

    def blocks(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, as they come."""
        self._charge(size)
        while size:
            self._fill()
            block = self._data[self._at:self._at + size]
            self._at += len(block)
            size -= len(block)
            yield block

    def comma(self) -> None:
        """The comma at a netstring's end."""
        if self._byte() != COMMA:
            raise Malformed

    def string(self, limit: int) -> bytes | None:
        """A whole netstring; None, and it is passed over, if it has `limit` bytes or more."""
        size = self.length()
        if size < limit:
            found = b"".join(self.blocks(size))
            self.comma()
            return found
        for _ in self.blocks(size):
            pass
        self.comma()
        return None

    def _byte(self) -> int:
        self._charge(1)
        self._fill()
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _charge(self, size: int) -> None:
        if self.left is not None:
            if size > self.left:
                raise Malformed
            self.left -= size

    def _fill(self) -> None:
        """Have at least one byte."""
        if self._at == len(self._data):
            self._data, self._at = self._read(), 0
            if not self._data:
                raise Ended
