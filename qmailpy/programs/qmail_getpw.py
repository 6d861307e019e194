"""qmail-getpw: whose is this local part?  Six NUL-ended fields on descriptor 1.  See qmail-getpw(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, PERMANENT
from qmailpy.home import here
from qmailpy.unix.accounts import HomeTrouble, unlisted
from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

NFS, NO_ALIAS = 115, 116  # as qmail-lspawn understands them


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) < 2:
        return PERMANENT
    try:
        found = unlisted(here(), os.fsencode(argv[1]))
    except HomeTrouble:
        return NFS
    if found is None:
        return NO_ALIAS
    write_all(1, found.fields())
    return OK
