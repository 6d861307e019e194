"""Move a Maildir's messages into the mbox, then become a mail reader that knows mboxes only."""

from __future__ import annotations

from qmailpy.errnotext import wording
from qmailpy.exits import TEMPORARY, Temporary, during
from qmailpy.unix.feed import attempt, telling
from qmailpy.unix.process import execute, fork_working, standard, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmailpy.home import Home


def read_with(home: Home, who: str, reader: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run maildir2mbox; if it exits 0 become `reader`, else its exit status.  Raises Temporary.

    who  the program that does this, which tells if maildir2mbox cannot be run
    """
    mover = home.at("bin", "maildir2mbox")
    try:
        code = wait(fork_working(lambda: attempt([mover], env, telling(who, mover, TEMPORARY)), standard()))
    except OSError as problem:
        raise Temporary(f"unable to fork: {wording(problem.errno)}") from None
    if code < 0:
        raise Temporary("maildir2mbox crashed")
    if code == 0:
        with during(f"unable to run {reader}"):
            execute([reader, *arguments], env)
    return code
