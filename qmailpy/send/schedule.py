"""When what is tried next: a priority queue, and the times between tries (qmail-send(8))."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import isqrt

SKIP = (10, 20)  # by channel: the first try after this many seconds squared


def next_retry(birth: int, now: int, channel: int) -> int:
    """When a message is tried again: the square root of the tries' times after birth grows by the channel's skip."""
    return birth + (isqrt(max(now - birth, 0)) + SKIP[channel]) ** 2


class Schedule:
    """Message numbers, each with the time in seconds at which it is due; the earliest comes first."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: int, number: int) -> None:
        """Have a message come at a time."""
        heappush(self._heap, (when, number))

    def first(self) -> int | None:
        """When the earliest is due; None if there is none."""
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: int) -> int | None:
        """Take out the earliest message if it is due; None if none is."""
        if not self._heap or self._heap[0][0] > now:
            return None
        return heappop(self._heap)[1]

    def hasten(self, now: int) -> None:
        """Have all come now."""
        self._heap = [(now, number) for _, number in self._heap]
        heapify(self._heap)

    def drain(self) -> list[tuple[int, int]]:
        """Take out everything: (when, number)."""
        everything, self._heap = self._heap, []
        return everything
