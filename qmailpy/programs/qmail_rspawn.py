"""qmail-rspawn: run qmail-remote for each order.  See qmail-rspawn(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK
from qmailpy.home import here
from qmailpy.spawn import report
from qmailpy.spawn.daemon import Spawner
from qmailpy.unix.process import UNRUNNABLE, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.spawn.orders import Order

TCPTO_SIZE = 1024


def forget_dead_hosts(path: str) -> None:
    """Zero lock/tcpto: what timed out before the last start may be up again."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(fd, bytes(TCPTO_SIZE))
    except OSError:
        pass
    os.close(fd)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    forget_dead_hosts(home.at("queue", "lock", "tcpto"))
    program = env.get("QMAILREMOTE") or "qmail-remote"

    def begin(order: Order, message: int, output: int) -> int:
        _, _, host = order.recipient.rpartition(b"@")
        # A qmail-remote that cannot be started defers mail (111); it never bounces it.
        return spawn([os.fsencode(program), host, order.sender, order.recipient], env, {0: message, 1: output, 2: output},
                     cwd=home.at("queue", "mess"), unrunnable=UNRUNNABLE)

    Spawner(home, begin, report.of_remote).run()
    return OK
