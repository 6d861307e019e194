"""What a warm process has made of files, used again while they stay the same (INTERNALS: Resident pools).

A program that was executed reads everything once, and keeps nothing here.  In a process that serves many, to read, parse and check the
same twenty small files for each of them takes longer than a whole SMTP session.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import TENURE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from typing import TypeVar

    State = tuple[Hashable, ...]
    Made = TypeVar("Made")

SETTLED = 2.0  # seconds: two changes of a file that follow each other faster may leave it with one time
MOST = 64  # things


class Kept:
    """Things that were made, by a key, each with the state of what it was made of.  What is kept is everybody's: nobody may change it."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[State, object]] = {}

    def get(self, key: Hashable, look: Callable[[], State | None], make: Callable[[], Made]) -> Made:
        """What was made for `key` in the state that `look` finds, else what `make` makes now.  A state of None is like no other."""
        if not TENURE.warm or (seen := look()) is None:
            return make()
        found = self._made.get(key)
        if found is not None and found[0] == seen:
            return found[1]  # type: ignore[return-value]  # what `make` made
        made = make()
        if len(self._made) >= MOST:
            self._made.clear()
        self._made[key] = seen, made
        return made

    def of(self, path: str, make: Callable[[], Made]) -> Made:
        """What `make` makes of one file."""
        return self.get(path, lambda: state((path,)), make)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` makes of nothing that changes."""
        return self.get(key, lambda: (), make)

    def forget(self, key: Hashable) -> None:
        """Make it anew the next time."""
        self._made.pop(key, None)


def state(paths: Iterable[str]) -> State | None:
    """The identities of files; None if one is not there, or has changed so lately that the next change might not show."""
    found: list[Hashable] = []
    now = time.time()
    for path in paths:
        try:
            one = os.stat(path)
        except OSError:
            return None
        if not 0 <= one.st_ctime < now - SETTLED:
            return None
        found.append(identity(one))
    return tuple(found)


def identity(found: os.stat_result) -> tuple[int, ...]:
    """What changes whenever a file does, or another takes its name."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


KEPT = Kept()
