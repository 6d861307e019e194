"""maildirmake: create a Maildir.  See maildirmake(1)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, Usage, during

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) < 2:
        raise Usage("maildirmake name")
    os.umask(0o077)
    for part in ("", "/tmp", "/new", "/cur"):
        with during(f"unable to mkdir {argv[1]}{part}"):
            os.mkdir(argv[1] + part, 0o700)
    return OK
