"""The processes of the home: who is who, what they weigh, and which one is killed next."""

import os
import random
import signal
import time

from qmailpy.unix.descendants import private_memory

POOLS = ("servers", "queue")
# In each round everybody's turn comes once.
ROLES = ("qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean", "qmail-local", "qmail-remote", "qmail-queue", "qmail-smtpd",
         "qmail-tcpserver", "tcpserver", *(f"{part} of {pool}" for part in ("keeper", "supervisor", "worker") for pool in POOLS))
DELIVERING = {"qmail-lspawn": "qmail-local", "qmail-rspawn": "qmail-remote"}  # what children of these are
FLEETING = 1.0  # seconds to wait for one that does not run just now
GLIMPSE = 0.1  # seconds of them without doing anything else


class Member:
    """A process: its parent, its name, its arguments."""

    def __init__(self, parent, name, words=()):
        self.parent, self.name, self.words = parent, name, words


def role_of(pid, family, top):
    """What a process is in the family of `top`, {pid: Member}; "" if that is not clear."""
    member = family[pid]
    parent = family.get(member.parent, Member(0, ""))
    if member.name == "qmail-pool":
        if member.words[-1:] not in ((pool,) for pool in POOLS):
            return ""
        pool = member.words[-1]
        if "-s" not in member.words:
            return f"keeper of {pool}"
        if parent.name != "qmail-pool":
            return ""  # an orphan
        return f"worker of {pool}" if "-s" in parent.words else f"supervisor of {pool}"
    if parent.name in DELIVERING:
        return DELIVERING[parent.name]
    if member.name in (*DELIVERING, "qmail-clean"):
        return member.name if parent.name == "qmail-send" else ""
    if member.name in ("qmail-send", "qmail-tcpserver", "tcpserver"):
        return member.name if member.parent == top else ""
    return member.name if member.name in ROLES else ""


def family_of(top):
    """{pid: Member} of the descendants of a process that have not ended."""
    everybody = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := look_at(name)):
            everybody[int(name)] = found
    children = {}
    for pid, member in everybody.items():
        children.setdefault(member.parent, []).append(pid)
    found = list(children.get(top, ()))
    for pid in found:  # grows while it is walked
        found += children.get(pid, ())
    for pid in found:
        if everybody[pid].name == "qmail-pool":  # only there they tell more than the name
            everybody[pid].words = words_of(pid)
    return {pid: everybody[pid] for pid in found}


def look_at(pid):
    """A Member without words; None if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as text:
            name, _, rest = text.read().partition(b"(")[2].rpartition(b")")
    except OSError:
        return None
    state, parent = rest.split()[:2]
    return None if state in (b"Z", b"X") else Member(int(parent), name.decode("latin-1"))


def words_of(pid):
    """Its arguments."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            return tuple(os.fsdecode(word) for word in text.read().split(b"\0")[:-1])
    except OSError:
        return ()


def children_of(pid):
    """The process ids of its children."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as text:
            return [int(word) for word in text.read().split()]
    except OSError:
        return []


def weigh(pid):
    """(descriptors, KiB that it shares with nobody); None if it has gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd")), private_memory(pid)
    except OSError:
        return None


class Killer:
    """Kills one of each role in turn; the order of a round, and which one, are the seed's.

    kills    {role: how many}
    missed   {role: how often none was found}
    """

    def __init__(self, seed, top):
        self.chance, self.top = random.Random(f"{seed} kills"), top  # noqa: S311 (chance that can be had again)
        self.round, self.kills, self.missed = [], {}, {}
        self.due = self.since = 0.0

    def strike(self, note):
        """Kill whose turn it is; whether that is done, or given up.  `note`: told of it."""
        if not self.round:
            self.round = self.chance.sample(ROLES, len(ROLES))
        role = self.round[-1]
        self.since = self.since or time.monotonic()
        if found := self.find(role):
            pid = self.chance.choice(found)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return False  # it has ended meanwhile
            self.kills[role] = self.kills.get(role, 0) + 1
            note(f"killed {role} {pid}")
        elif time.monotonic() < self.since + FLEETING:
            return False
        else:
            self.missed[role] = self.missed.get(role, 0) + 1
        self.round.pop()
        self.since = 0.0
        return True

    def find(self, role):
        """[pid] of those who have that role now; a delivery is waited for a little, since it is soon over."""
        family = family_of(self.top)
        spawners = [pid for pid in family if DELIVERING.get(role_of(pid, family, self.top)) == role]
        limit = time.monotonic() + GLIMPSE
        while spawners and time.monotonic() < limit:
            if found := [child for pid in spawners for child in children_of(pid)]:
                return found
        return sorted(pid for pid in family if role_of(pid, family, self.top) == role)
