"""A board that a pool's processes share: what each worker is at, and for which uid."""

from __future__ import annotations

import mmap
import time

EMPTY, IDLE, BUSY = 0, 1, 2
CELLS = 2  # numbers of 64 bits for each slot: uid, when it became busy


class Board:
    """So many slots.  The supervisor fills and empties them; each worker writes in its own only.  One more slot is for
    workers that do not count.

    First comes a byte for each slot, what its worker is at, since these are what everybody asks for all the time, and one for
    whether silent sessions may leave workers; then the numbers.
    """

    __slots__ = ("size", "_memory", "_cells")

    def __init__(self, size: int) -> None:
        self.size = size
        room = -(-(size + 2) // 8) * 8
        self._memory = mmap.mmap(-1, room + (size + 1) * CELLS * 8)
        self._cells = memoryview(self._memory)[room:].cast("Q")

    @property
    def parks(self) -> bool:
        """Whether there is room for silent sessions elsewhere; at first there is not."""
        return bool(self._memory[self.size + 1])

    def park(self, may: bool) -> None:  # noqa: FBT001 (it is the value)
        """Say whether there is."""
        self._memory[self.size + 1] = may

    def put(self, slot: int, state: int, uid: int = 0) -> None:
        """Say what a slot's worker is at."""
        self._cells[slot * CELLS] = uid
        if state == BUSY:
            self._cells[slot * CELLS + 1] = time.monotonic_ns()
        self._memory[slot] = state

    def state(self, slot: int) -> int:
        """What a slot's worker is at."""
        return self._memory[slot]

    def count(self, state: int) -> int:
        """How many are at that."""
        return self._memory[:self.size].count(state)

    def begun_since(self, moment: float) -> int:
        """How many have become busy, for the last time, after a moment of time.monotonic."""
        return sum(self._cells[slot * CELLS + 1] > moment * 1e9 for slot in range(self.size))

    def busy_for(self, uid: int) -> int:
        """How many work for a uid.  Who asks has written down his own work before: of two at the same moment both may be counted, never none."""
        states, slot, found = self._memory[:self.size], -1, 0
        while (slot := states.find(BUSY, slot + 1)) >= 0:
            found += self._cells[slot * CELLS] == uid
        return found

    def first(self, state: int) -> int | None:
        """The first slot that is at that; None if there is none."""
        slot = self._memory[:self.size].find(state)
        return None if slot < 0 else slot
