"""What targets have in common: a promise that is broken, and the ways in which bytes come."""

from __future__ import annotations

import contextlib
import os
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Broken(Exception):
    """Something that must hold for any input does not."""


def promise(kept: bool, what: str, *evidence: object) -> None:
    """Raise Broken, with the evidence, if a promise is not kept."""
    if not kept:
        raise Broken(what + "".join(f" {one!r:.300}" for one in evidence))


def number_of(data: bytes) -> int:
    """A number that depends on all of the input, for choices that the input is to decide."""
    return zlib.crc32(data)


def pieces(data: bytes, size: int) -> list[bytes]:
    """The input as it would come in reads of `size` bytes."""
    return [data[at:at + size] for at in range(0, len(data), size)]


def deliveries(data: bytes) -> list[list[bytes]]:
    """The ways in which the input may come: at once, in pieces of some size, and, if it is short, byte by byte."""
    ways = [[data], pieces(data, 1 + number_of(data) % 61)]
    return ways if len(data) > 300 else [*ways, pieces(data, 1)]


@contextlib.contextmanager
def file_of(data: bytes) -> Iterator[str]:
    """The path of a file with that content, in memory, while the block runs."""
    fd = os.memfd_create("fuzz")
    try:
        os.write(fd, data)
        os.lseek(fd, 0, os.SEEK_SET)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


@contextlib.contextmanager
def descriptor_of(data: bytes) -> Iterator[int]:
    """A descriptor that gives that content, while the block runs."""
    with file_of(data) as path:
        yield int(path.rpartition("/")[2])


@contextlib.contextmanager
def as_zero(fd: int) -> Iterator[None]:
    """While the block runs, descriptor 0 is this one."""
    kept = os.dup(0)
    try:
        os.dup2(fd, 0)
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
