"""qmail-clean: remove queue files on request of qmail-send, which has not the right to.  See qmail-clean(8).

Requests on descriptor 0, each ended by NUL: foop/N (the leftovers or the rest of message N: intd and mess),
todo/N (its envelope: intd and todo).  Answers on descriptor 1: + done, ! failed, x not understood.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, PERMANENT, TEMPORARY
from qmailpy.home import here
from qmailpy.queue.paths import Paths
from qmailpy.unix.fds import BLOCK, write_all
from qmailpy.unix.files import remove
from qmailpy.unix.signals import shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

OSSIFIED = 129600  # seconds after which a file in pid/ has no living qmail-queue; see qmail-send
SWEEP_EVERY = 31  # requests
LONGEST, SHORTEST = 99, 6
KINDS = {b"foop/": ("intd", "mess"), b"todo/": ("intd", "todo")}


def requests(fd: int) -> Iterator[bytes]:
    """Each request, without its NUL.  One that grows too long is given once, cut, and its rest skipped."""
    pending = b""
    while data := os.read(fd, BLOCK):
        *whole, pending = (pending + data).split(b"\0")
        yield from whole
        pending = pending[: LONGEST + 1]


def number_of(request: bytes) -> int | None:
    """The message number of a request; None if it has none."""
    digits = request[5:]
    if not SHORTEST <= len(request) <= LONGEST or not all(48 <= byte < 58 for byte in digits):
        return None
    return int(digits)


def answer(request: bytes, paths: Paths) -> bytes:
    """Carry out one request."""
    number = number_of(request)
    kinds = KINDS.get(request[:5])
    if number is None or kinds is None:
        return b"x"
    try:
        for kind in kinds:
            remove(paths.name(kind, number))
    except OSError:
        return b"!"
    return b"+"


def sweep(folder: str, now: float) -> None:
    """Remove the files in pid/ that a killed qmail-queue has left long ago."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = f"{folder}/{name}"
        try:
            if now >= os.stat(path).st_atime + OSSIFIED:
                os.unlink(path)
        except OSError:
            continue


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    if not os.path.isdir(home.at("queue")):
        return TEMPORARY
    paths = Paths(home.at("queue"), home.split, home.big_todo)
    with shielded():
        sweep(home.at("queue", "pid"), time.time())
        for count, request in enumerate(requests(0), 1):
            done = answer(request, paths)
            try:
                write_all(1, done)
            except OSError:
                return PERMANENT
            if count % SWEEP_EVERY == 0:
                sweep(home.at("queue", "pid"), time.time())
    return OK
