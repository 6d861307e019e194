"""forward: from a .qmail file, forward the message on descriptor 0 to the arguments.  See forward(1)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, complain
from qmailpy.home import here
from qmailpy.queue.handover import hand_over, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    sender, head = variable(env, "NEWSENDER"), variable(env, "DTLINE")
    number = hand_over(here(), env, head, 0, sender, [os.fsencode(address) for address in argv[1:]])
    complain(f"forward: qp {number}")
    return OK
