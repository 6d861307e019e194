"""qmail-queue: take a message from descriptor 0 and its envelope from descriptor 1 into the queue.  See qmail-queue(8).

It runs setuid qmailq and serves everybody: it trusts nothing but the two descriptors.
"""

from __future__ import annotations

import os
import time

from qmailpy.home import here
from qmailpy.queue.exitcodes import BUG, NO_HOME, NO_QUEUE, OUT_OF_MEMORY, TIMED_OUT
from qmailpy.queue.paths import Paths
from qmailpy.queue.put import Caller, put, received
from qmailpy.unix.signals import deadline, on_bug, shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home

DEATH = 86400  # seconds; must be less than the age at which qmail-send has leftovers removed


def how(home: Home, uid: int) -> bytes:
    """How the Received field calls the caller."""
    for role, words in (("alias", b"by alias"), ("qmaild", b"from network"), ("qmails", b"for bounce")):
        if role in home.users and uid == home.users[role][1]:
            return words
    return b"by uid %d" % uid


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    return serve(os.getpid(), os.getuid(), env)


def serve(pid: int, uid: int, env: MutableMapping[str, str]) -> int:
    """Queue one message for a caller; the exit code."""
    os.umask(0o033)
    try:
        home = here()
        if not os.path.isdir(home.path):
            return NO_HOME
        if not os.path.isdir(home.at("queue")):
            return NO_QUEUE
        caller = Caller(pid, uid, int(time.time()))
        paths = Paths(home.at("queue"), home.split, home.big_todo)
        # Leftovers of a killed qmail-queue are removed after 36 hours; a living one must have ended long before.
        with shielded(), on_bug(lambda: os._exit(BUG)), deadline(DEATH, lambda: os._exit(TIMED_OUT)):
            return put(paths, caller, 0, 1, received(caller, how(home, caller.uid)))
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception:  # noqa: BLE001 (whatever it is, the caller keeps the message)
        return BUG
