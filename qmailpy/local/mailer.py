"""Move a Maildir's messages into the mbox, then become a mail reader that knows mboxes only."""

from __future__ import annotations

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary, during
from qmailpy.unix.feed import attempt, code_of
from qmailpy.unix.process import execute, fork_working, standard, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmailpy.home import Home


def read_with(home: Home, reader: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run maildir2mbox; if it exits 0 become `reader`, else its exit status.  Raises Temporary."""
    command = [home.at("bin", "maildir2mbox")]
    try:
        code = wait(fork_working(lambda: attempt(command, env, code_of), standard()))
    except OSError as problem:
        raise Temporary(f"unable to fork: {wording(problem.errno)}") from None
    if code < 0:
        raise Temporary("maildir2mbox crashed")
    if code == 0:
        with during(f"unable to run {reader}"):
            execute([reader, *arguments], env)
    return code
