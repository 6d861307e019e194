"""except: run a program and turn its judgement around.  See except(1)."""

from __future__ import annotations

from qmailpy.exits import OK, PERMANENT, Usage
from qmailpy.unix.feed import judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        raise Usage("except program [ arg ... ]")
    return PERMANENT if judge(argv[1:], env) else OK
