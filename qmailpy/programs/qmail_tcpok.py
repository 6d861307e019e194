"""qmail-tcpok: forget which hosts did not answer.  See qmail-tcpok(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, during
from qmailpy.home import here
from qmailpy.queue.tcpto import SIZE
from qmailpy.unix.fds import write_all
from qmailpy.unix.files import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    path = here().at("queue", "lock", "tcpto")
    with during(f"unable to write {path}"):
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        with during(f"unable to lock {path}"):
            lock(fd, wait=True)
        with during(f"unable to clear {path}"):
            write_all(fd, bytes(SIZE))
    finally:
        os.close(fd)
    return OK
