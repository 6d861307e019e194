"""qmail-queue: take a message from descriptor 0 and its envelope from descriptor 1 into the queue.  See qmail-queue(8).

It runs setuid qmailq and serves everybody: it trusts nothing but the two descriptors.

Its two control files are read here and not through settings/load.py: to have the table of all settings in memory
takes a tenth of the time that a message takes, and a host that has neither file pays for two looks only.
"""

from __future__ import annotations

import os
import time

from qmailpy.home import here
from qmailpy.queue.exitcodes import BUG, NO_CONTROLS, NO_HOME, NO_QUEUE, OUT_OF_MEMORY, TIMED_OUT
from qmailpy.queue.paths import Paths
from qmailpy.queue.put import Caller, put, received
from qmailpy.unix.files import contents
from qmailpy.unix.signals import deadline, on_bug, shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from qmailpy.home import Home

DEATH = 86400  # seconds; must be less than the age at which qmail-send has leftovers removed


def how(home: Home, uid: int) -> bytes:
    """How the Received field calls the caller."""
    for role, words in (("alias", b"by alias"), ("qmaild", b"from network"), ("qmails", b"for bounce")):
        if role in home.users and uid == home.users[role][1]:
            return words
    return b"by uid %d" % uid


class Unusable(Exception):
    """A control file that is there cannot be read, or holds what cannot be."""


def control(home: Home, name: str) -> bytes | None:
    """What a control file holds; None if it is not there.  Raises Unusable."""
    try:
        return contents(home.at("control", name))
    except OSError:
        raise Unusable from None


def further_recipients(home: Home) -> list[bytes]:
    """The addresses in extraqueue, which get every message.  Raises Unusable."""
    data = control(home, "extraqueue")
    if data is None:
        return []
    if b"\0" in data:
        raise Unusable  # it would end an address, or the envelope
    from qmailpy.settings.kinds import rows

    return rows(data)


def origin(home: Home, env: Mapping[str, str]) -> bytes:
    """The field that tells where a relay client's message comes from, if originipfield asks for it; else nothing.  Raises Unusable."""
    wanted = os.fsencode(env["ORIGINIPFIELD"]) if "ORIGINIPFIELD" in env else control(home, "originipfield")
    if not wanted:
        return b""
    from qmailpy.settings.kinds import Flag
    from qmailpy.text.ip import packed

    address = os.fsencode(env.get("TCPREMOTEIP", ""))
    # A client may send what it likes in the place of an address: nothing but one may get into the header.
    if not Flag.parse(wanted) or "RELAYCLIENT" not in env or packed(address) is None:
        return b""
    return b"X-Originating-IP: " + address + b"\n"


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    return serve(os.getpid(), os.getuid(), env)


def serve(pid: int, uid: int, env: MutableMapping[str, str]) -> int:
    """Queue one message for a caller; the exit code."""
    os.umask(0o033)
    try:
        home = here()
        if not os.path.isdir(home.path):
            return NO_HOME
        further, field = further_recipients(home), origin(home, env)
        if not os.path.isdir(home.at("queue")):
            return NO_QUEUE
        caller = Caller(pid, uid, int(time.time()))
        paths = Paths(home.at("queue"), home.split, home.big_todo)
        # Leftovers of a killed qmail-queue are removed after 36 hours; a living one must have ended long before.
        with shielded(), on_bug(lambda: os._exit(BUG)), deadline(DEATH, lambda: os._exit(TIMED_OUT)):
            return put(paths, caller, 0, 1, received(caller, how(home, caller.uid)) + field, further)
    except Unusable:
        return NO_CONTROLS
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception:  # noqa: BLE001 (whatever it is, the caller keeps the message)
        return BUG
