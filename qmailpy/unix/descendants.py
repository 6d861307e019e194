"""The processes that descend from this one: adopted when their parents end, found, weighed, ended (prctl(2), proc(5))."""

from __future__ import annotations

import os
import signal
import time

from qmailpy.unix.process import any_ended

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
STEP = 0.02  # seconds
PRIVATE = ("Private_Clean:", "Private_Dirty:", "Private_Hugetlb:", "Swap:")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that daemons do not escape from the family."""
    import ctypes

    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def descendants() -> list[int]:
    """The process ids of our children, their children, and so on, but for those that have ended."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := _state_and_parent(name)) is not None and found[0] != "Z":
            children.setdefault(found[1], []).append(int(name))
    family = list(children.get(os.getpid(), ()))
    for pid in family:  # grows while it is walked
        family += children.get(pid, ())
    return family


def _state_and_parent(pid: str) -> tuple[str, int] | None:
    """A process's state and its parent; None if it has gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as text:
            fields = text.read().rpartition(b")")[2].split()  # the name in parentheses may have anything in it
    except OSError:
        return None
    return fields[0].decode(), int(fields[1])


def private_memory(pid: int) -> int:
    """KiB that a process shares with nobody; 0 if it has gone.  Raises PermissionError if it is somebody else's."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as rows:
            return sum(int(row.split()[1]) for row in rows if row.startswith(PRIVATE))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def end_all(seconds: float) -> None:
    """Ask all descendants to end, insist after so many seconds, and bury them."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, seconds)):
        for pid in descendants():
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                pass
        limit = time.monotonic() + patience
        while descendants() and time.monotonic() < limit:
            time.sleep(STEP)  # they are not all our own children: there is nothing to wait for
        for _ in any_ended():
            pass
        if not descendants():
            return
