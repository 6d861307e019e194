"""New inputs out of old ones, without a look at the code that reads them: for machines without atheris, and for `make test`."""

from __future__ import annotations

import random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BYTES = (b"\0", b"\n", b"\r", b"\r\n", b".", b"@", b":", b",", b" ", b"\t", b"<", b">", b'"', b"\\", b"-", b"\x7f", b"\x80", b"\xff", b"0", b"9", b"%", b"/")
NUMBERS = (b"0", b"1", b"127", b"255", b"256", b"65535", b"65536", b"2147483647", b"4294967295", b"4294967296", b"18446744073709551616", b"-1", b"9" * 40,
           b"9" * 4400)
BINARY = (bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\0\0\0\x80", b"\0\x08\0\0", b"\x01\0\0\0")
MOST_STEPS = 6


class Mutator:
    """Makes inputs of at most `longest` bytes.  With the same seed, corpus and words they are the same."""

    def __init__(self, seed: str, corpus: Sequence[bytes], words: Sequence[bytes], longest: int) -> None:
        self._random = random.Random(seed)
        self._corpus, self._longest = list(corpus) or [b""], longest
        self._tokens: tuple[bytes, ...] = (*BYTES, *NUMBERS, *BINARY, *words, *words, *words)
        self._steps: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._overwrite, self._insert, self._insert, self._insert, self._delete, self._repeat, self._move, self._splice, self._number,
                                                             self._cut)

    def next(self) -> bytes:
        """Another input."""
        data = self._random.choice(self._corpus)
        for _ in range(1 + self._random.randrange(MOST_STEPS)):
            data = self._random.choice(self._steps)(data)
        return data[:self._longest]

    def _place(self, data: bytes) -> int:
        return self._random.randrange(len(data) + 1)

    def _range(self, data: bytes) -> tuple[int, int]:
        begin = self._place(data)
        return begin, min(len(data), begin + 1 + int(self._random.expovariate(1 / 8)))

    def _flip(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + bytes(byte ^ 1 << self._random.randrange(8) for byte in data[at:at + 1]) + data[at + 1:]

    def _overwrite(self, data: bytes) -> bytes:
        at, word = self._place(data), self._random.choice(self._tokens)
        return data[:at] + word + data[at + len(word):]

    def _insert(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + self._random.choice(self._tokens) + data[at:]

    def _delete(self, data: bytes) -> bytes:
        begin, end = self._range(data)
        return data[:begin] + data[end:]

    def _repeat(self, data: bytes) -> bytes:
        begin, end = self._range(data)
        return data[:end] + data[begin:end] * self._random.choice((1, 2, 10, 100, 1000)) + data[end:]

    def _move(self, data: bytes) -> bytes:
        begin, end = self._range(data)
        rest = data[:begin] + data[end:]
        at = self._place(rest)
        return rest[:at] + data[begin:end] + rest[at:]

    def _splice(self, data: bytes) -> bytes:
        other = self._random.choice(self._corpus)
        return data[:self._place(data)] + other[self._place(other):]

    def _number(self, data: bytes) -> bytes:
        """A number that is written there becomes another one."""
        starts = [at for at in range(len(data)) if data[at:at + 1].isdigit() and not data[at - 1:at].isdigit()]
        if not starts:
            return self._insert(data)
        begin = self._random.choice(starts)
        rest = data[begin:].lstrip(b"0123456789")
        return data[:begin] + self._random.choice(NUMBERS) + rest

    def _cut(self, data: bytes) -> bytes:
        return data[:self._place(data)]
