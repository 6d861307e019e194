"""condredirect: from a .qmail file, forward the message if a program says so.  See condredirect(1)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, Usage, complain, during
from qmailpy.home import here
from qmailpy.queue.handover import hand_over, variable
from qmailpy.unix.feed import judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

ARGUMENTS = 2
STOP = 99  # qmail-local skips the rest of the .qmail file


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) <= ARGUMENTS:
        raise Usage("condredirect newaddress program [ arg ... ]")
    if not judge(argv[2:], env):
        return OK
    with during("unable to rewind"):
        os.lseek(0, 0, os.SEEK_SET)
    sender, head = variable(env, "SENDER"), variable(env, "DTLINE")
    number = hand_over(here(), env, head, 0, sender, [os.fsencode(argv[1])])
    complain(f"condredirect: qp {number}")
    return STOP
