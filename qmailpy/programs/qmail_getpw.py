"""qmail-getpw: whose is this local part?  Six NUL-ended fields on descriptor 1.  See qmail-getpw(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, PERMANENT
from qmailpy.home import here
from qmailpy.unix.accounts import answer
from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home


def main(argv: list[str], env: MutableMapping[str, str], home: Home | None = None) -> int:
    """`home`: this one, where the caller has read about it already."""
    if len(argv) < 2:
        return PERMANENT
    code, fields = answer(home or here(), os.fsencode(argv[1]))
    if code == OK:
        write_all(1, fields)
    return code
