"""bouncesaying: from a .qmail file, bounce the message with a text, always or if a program says so.  See bouncesaying(1)."""

from __future__ import annotations

from qmailpy.exits import OK, PERMANENT, Usage, complain
from qmailpy.unix.feed import judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        raise Usage("bouncesaying error [ program [ arg ... ] ]")
    if argv[2:] and not judge(argv[2:], env):
        return OK
    complain(argv[1])
    return PERMANENT
