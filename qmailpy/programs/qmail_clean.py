"""qmail-clean: remove queue files on request of qmail-send, which has not the right to.  See qmail-clean(8).

Requests on descriptor 0, each ended by NUL: foop/N (the leftovers or the rest of message N: intd and mess),
todo/N (its envelope: intd and todo).  Answers on descriptor 1: + done, ! failed, x not understood.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, PERMANENT, TEMPORARY
from qmailpy.home import here
from qmailpy.queue.boot import Boot
from qmailpy.queue.leftovers import is_old
from qmailpy.queue.paths import Paths
from qmailpy.unix.fds import BLOCK, write_all
from qmailpy.unix.files import remove
from qmailpy.unix.signals import shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

SWEEP_EVERY = 31  # requests
TOGETHER = 31  # answers that are written together
LONGEST, SHORTEST = 99, 6
KINDS = {b"foop/": ("intd", "mess"), b"todo/": ("intd", "todo")}


def requests(fd: int) -> Iterator[list[bytes]]:
    """Requests as they come, each without its NUL, some together.  One that grows too long is given once, cut, and its rest skipped."""
    pending = b""
    while data := os.read(fd, BLOCK):
        *whole, pending = (pending + data).split(b"\0")
        for at in range(0, len(whole), TOGETHER):
            yield whole[at:at + TOGETHER]
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


def sweep(paths: Paths) -> None:
    """Remove the files in pid/ that a killed qmail-queue has left long ago."""
    folder, boot, now = f"{paths.queue}/pid", Boot(paths.lock("boot")), time.time()
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = f"{folder}/{name}"
        try:
            if is_old(os.stat(path).st_atime, now, boot):
                os.unlink(path)
        except OSError:
            continue


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    if not os.path.isdir(home.at("queue")):
        return TEMPORARY
    paths = Paths(home.at("queue"), home.split, home.big_todo)
    with shielded():
        sweep(paths)
        count = 0
        for some in requests(0):
            done = b"".join([answer(request, paths) for request in some])
            try:
                write_all(1, done)
            except OSError:
                return PERMANENT
            count += len(some)
            if count >= SWEEP_EVERY:
                count = 0
                sweep(paths)
    return OK
