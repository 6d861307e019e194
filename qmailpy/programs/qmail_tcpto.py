"""qmail-tcpto: list the hosts that did not answer lately.  See qmail-tcpto(8)."""

from __future__ import annotations

import os
import time

from qmailpy.errnotext import wording
from qmailpy.exits import OK, TEMPORARY
from qmailpy.home import here
from qmailpy.queue.tcpto import SIZE, parse
from qmailpy.unix.fds import write_all
from qmailpy.unix.files import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    doing = "open"
    try:
        fd = os.open(here().at("queue", "lock", "tcpto"), os.O_RDWR | os.O_CLOEXEC)
        doing = "lock"
        lock(fd, wait=True)
        doing = "read"
        records = parse(os.pread(fd, SIZE, 0))
        os.close(fd)
    except OSError as problem:
        write_all(1, f"fatal: unable to {doing} tcpto: {wording(problem.errno)}\n".encode())
        return TEMPORARY
    now = int(time.time())
    for record in records:
        if record.count:
            address = ".".join(str(byte) for byte in record.address)
            write_all(1, f"{address} timed out {max(now - record.when, 0)} seconds ago; # recent timeouts: {record.count}\n".encode())
    return OK
