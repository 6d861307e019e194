"""qmail-tcpto: list the hosts that did not answer lately.  See qmail-tcpto(8)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, TEMPORARY, Temporary, during
from qmailpy.home import here
from qmailpy.queue.tcpto import SIZE, Record, parse
from qmailpy.unix.fds import write_all
from qmailpy.unix.files import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def table(path: str) -> list[Record]:
    """The records of lock/tcpto, as they are between two changes.  Raises Temporary."""
    with during("unable to open tcpto"):
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        with during("unable to lock tcpto"):
            lock(fd, wait=True)
        with during("unable to read tcpto"):
            return parse(os.pread(fd, SIZE, 0))
    finally:
        os.close(fd)


def line(record: Record, now: int) -> bytes:
    """What is told of a host; of a time that is still to come, that it is now."""
    address = ".".join(str(byte) for byte in record.address)
    return f"{address} timed out {max(now - record.when, 0)} seconds ago; # recent timeouts: {record.count}\n".encode()


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    try:
        records = table(here().at("queue", "lock", "tcpto"))
    except Temporary as problem:
        write_all(1, f"fatal: {problem.text}\n".encode())  # there, as ever
        return TEMPORARY
    now = int(time.time())
    write_all(1, b"".join(line(record, now) for record in records if record.count))
    return OK
