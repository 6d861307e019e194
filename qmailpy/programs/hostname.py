"""hostname: the name of this host as the system knows it.  See hostname(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK
from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    write_all(1, os.fsencode(os.uname().nodename) + b"\n")
    return OK
