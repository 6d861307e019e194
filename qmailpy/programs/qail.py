"""qail: read new mail of a Maildir with Mail.  See qail(1)."""

from __future__ import annotations

from qmailpy.home import here
from qmailpy.local.mailer import read_with

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    return read_with(here(), "qail", "Mail", argv[1:], env)
