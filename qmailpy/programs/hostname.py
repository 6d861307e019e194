"""hostname: the name of this host as the system knows it.  See hostname(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, during
from qmailpy.unix.fds import write_all
from qmailpy.unix.process import execute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

OTHER = "/bin/hostname"


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) > 1:
        # Programs in .qmail files find this one first in their PATH; with arguments they mean the system's.
        with during(f"unable to run {OTHER}"):
            execute(argv, env, OTHER)
    write_all(1, os.fsencode(os.uname().nodename) + b"\n")
    return OK
