"""Messages that are being tried, and deliveries under way (C: job, del)."""

from __future__ import annotations

from heapq import heappop, heappush


class Job:
    """One message on one channel, from the first of its deliveries to the last.

    references  deliveries under way, and the pass that still reads recipients
    left        recipients that were begun and are not done
    read_whole  all its recipients were read
    dying       it is too old: this is the last try
    retry       when it is tried again
    """

    __slots__ = ("number", "channel", "sender", "retry", "dying", "references", "left", "read_whole")

    def __init__(self, number: int, channel: int, sender: bytes, retry: int, dying: bool) -> None:
        self.number, self.channel, self.sender, self.retry, self.dying = number, channel, sender, retry, dying
        self.references, self.left = 1, 0
        self.read_whole = False

    @property
    def complete(self) -> bool:
        """Whether no recipient is left to try."""
        return self.read_whole and not self.left


class Delivery:
    """One recipient being delivered to: its job, its number in the log, where its record stands in the channel's file."""

    __slots__ = ("job", "name", "position", "recipient")

    def __init__(self, job: Job, name: int, position: int, recipient: bytes) -> None:
        self.job, self.name, self.position, self.recipient = job, name, position, recipient


class Slots:
    """The deliveries of one channel, each under the lowest number that is free when it begins."""

    __slots__ = ("limit", "_used", "_free")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used: dict[int, Delivery] = {}
        self._free: list[int] = []  # a heap of numbers below the highest ever used

    def __len__(self) -> int:
        return len(self._used)

    @property
    def available(self) -> bool:
        """Whether another delivery may begin."""
        return len(self._used) < self.limit

    def put(self, delivery: Delivery) -> int:
        """Give a delivery a slot; its number."""
        number = heappop(self._free) if self._free else len(self._used)
        self._used[number] = delivery
        return number

    def take(self, number: int) -> Delivery | None:
        """Free a slot; the delivery that had it, None if it was free."""
        delivery = self._used.pop(number, None)
        if delivery is not None:
            heappush(self._free, number)
        return delivery

    def get(self, number: int) -> Delivery | None:
        """The delivery in a slot."""
        return self._used.get(number)
