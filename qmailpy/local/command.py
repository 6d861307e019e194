"""Delivery to a program: /bin/sh -c COMMAND, with the message on its descriptor 0 (qmail-command(8))."""

from __future__ import annotations

from qmailpy.errnotext import wording
from qmailpy.exits import PERMANENT, TEMPORARY, Temporary
from qmailpy.unix.process import spawn, wait, wait_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SHELL = "/bin/sh"
STOP = 99  # success, and the rest of the .qmail file is skipped
GRACE = 5  # seconds to end by itself, for a program whose time is over
HARD = (100, 64, 65, 70, 76, 77, 78, 112)


class Refused(Exception):
    """The program wants qmail-local to end with this exit code; it has said why itself."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def deliver(command: bytes, home: bytes, env: Mapping[str, str], seconds: int = 0) -> bool:
    """Run a command on descriptor 0, which is at the message's start; whether the file's next lines are to be obeyed.

    seconds  that it may take; 0: any number

    Raises Refused; Temporary if it could not be run or died, or took too long.
    """
    try:
        pid = spawn([SHELL, "-c", command], env, {0: 0, 1: 1, 2: 2}, cwd=home)
    except OSError as problem:
        raise Temporary(f"Unable to fork: {wording(problem.errno)}. (#4.3.0)") from None
    code = wait_within(pid, seconds) if seconds else wait(pid)
    if code is None:
        from qmailpy.unix.descendants import end_all

        end_all(GRACE)  # also what it has started: while that holds our output open, the delivery is not over
        raise Temporary("Timeout on delivery to program. (#4.3.0)")
    if code < 0:
        raise Temporary("Aack, child crashed. (#4.3.0)")
    if code in HARD:
        raise Refused(PERMANENT)
    if code not in (0, STOP):
        raise Refused(TEMPORARY)
    return code != STOP
