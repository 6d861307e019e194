"""Run the administrator's program that judges a recipient (aio: RCPTCHECK)."""

from __future__ import annotations

import os

from qmailpy.exits import Temporary
from qmailpy.unix.fds import close_quietly, may_complain
from qmailpy.unix.process import kill, spawn, wait_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home

UNDECIDED, UNRUNNABLE = 111, 120


def ask(home: Home, env: Mapping[str, str], program: str, sender: bytes, recipient: bytes, seconds: float) -> int:
    """The program's exit status, or minus the signal that ended it; UNRUNNABLE if it could not be run or waited for,
    UNDECIDED if it takes longer than `seconds`.

    It is started in the home, with SENDER and RECIPIENT.  Of the session it gets nothing: descriptor 0 is empty, 1 and 2 are our standard error,
    and if that is the client's connection, nothing, too.  Raises Temporary, with the text of a reply, if there can be no child.
    """
    env = {**env, "SENDER": os.fsdecode(sender), "RECIPIENT": os.fsdecode(recipient)}
    try:
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        says = 2 if may_complain() else nothing
        try:
            pid = spawn([program], env, {0: nothing, 1: says, 2: says}, program=program, cwd=home.path, unrunnable=UNRUNNABLE)
        finally:
            close_quietly(nothing)
    except OSError as problem:
        raise Temporary("unable to fork", "4.3.0") from problem
    try:
        code = wait_within(pid, seconds)
    except OSError:
        return UNRUNNABLE
    if code is None:
        kill(pid)
        return UNDECIDED
    return code
