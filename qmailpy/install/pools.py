"""Pools that run while a home is installed anew: they are to use the code that is there now."""

from __future__ import annotations

import glob

from qmailpy.pool.kind import LOCK, RUN
from qmailpy.unix.files import contents, lock_holder
from qmailpy.unix.signals import HUP
from qmailpy.unix.process import send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.home import Home

NAME = b"qmail-pool"


def renew(home: Home) -> int:
    """Send HUP to the keepers of all pools of a home; how many there are.  Raises OSError."""
    found = 0
    for pattern in (home.at(RUN, "*", LOCK), home.at(RUN, "*", "*", LOCK)):
        for path in glob.glob(pattern):
            pid = lock_holder(path)
            # Folders of pools belong to their users: what one of these has locked there instead gets no signal from us.
            if pid is not None and is_pool(pid):
                send_signal(pid, HUP)
                found += 1
    return found


def is_pool(pid: int) -> bool:
    """Whether a process goes by the name of a pool."""
    try:
        return (contents(f"/proc/{pid}/comm") or b"").strip() == NAME
    except OSError:
        return False
