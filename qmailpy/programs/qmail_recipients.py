"""qmail-recipients: make users/recipients.cdb of users/recipients.  See qmail-recipients(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK
from qmailpy.home import here
from qmailpy.settings.compiled import compile_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    os.umask(0o033)
    compile_list(here(), "users", "recipients", b":")
    return OK
