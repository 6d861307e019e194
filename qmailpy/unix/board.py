"""A board that a pool's processes share: in each slot, what one worker is at, and for which uid."""

from __future__ import annotations

import mmap
import time

EMPTY, IDLE, BUSY = 0, 1, 2
CELLS = 3  # numbers of 64 bits in a slot: state, uid, when it became busy


class Board:
    """So many slots.  The supervisor fills and empties them; each worker writes in its own only.  One more slot is for
    workers that do not count.  Behind them: whether silent sessions may leave workers.
    """

    __slots__ = ("size", "_memory", "_cells")

    def __init__(self, size: int) -> None:
        self.size = size
        self._memory = mmap.mmap(-1, ((size + 1) * CELLS + 1) * 8)
        self._cells = memoryview(self._memory).cast("Q")

    @property
    def parks(self) -> bool:
        """Whether there is room for silent sessions elsewhere; at first there is not."""
        return bool(self._cells[-1])

    def park(self, may: bool) -> None:  # noqa: FBT001 (it is the value)
        """Say whether there is."""
        self._cells[-1] = may

    def put(self, slot: int, state: int, uid: int = 0) -> None:
        """Say what a slot's worker is at."""
        self._cells[slot * CELLS + 1] = uid
        if state == BUSY:
            self._cells[slot * CELLS + 2] = time.monotonic_ns()
        self._cells[slot * CELLS] = state

    def state(self, slot: int) -> int:
        """What a slot's worker is at."""
        return self._cells[slot * CELLS]

    def count(self, state: int) -> int:
        """How many are at that."""
        return sum(self._cells[slot * CELLS] == state for slot in range(self.size))

    def begun_since(self, moment: float) -> int:
        """How many have become busy, for the last time, after a moment of time.monotonic."""
        return sum(self._cells[slot * CELLS + 2] > moment * 1e9 for slot in range(self.size))

    def busy_for(self, uid: int) -> int:
        """How many work for a uid.  Who asks has written down his own work before: of two at the same moment both may be counted, never none."""
        return sum(self._cells[slot * CELLS] == BUSY and self._cells[slot * CELLS + 1] == uid for slot in range(self.size))

    def first(self, state: int) -> int | None:
        """The first slot that is at that; None if there is none."""
        return next((slot for slot in range(self.size) if self._cells[slot * CELLS] == state), None)
