"""lock/tcpto: hosts that did not answer lately, so that not every message waits for them (qmail-remote(8)).

16 bytes each: IPv4 address, count, 3 bytes unused, time of the last timeout (4 bytes, low first), 4 bytes unused.
IPv6 addresses have no place in it, and are tried each time.
"""

from __future__ import annotations

import os

from qmailpy.unix.files import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD, SIZE = 16, 1024
MOST = 10  # what the count stops at
DEAD = 2  # timeouts after which a host is not tried for a while
MINUTE = 64  # seconds, near enough
AGAIN = 120  # seconds in which further timeouts do not count


class Record:
    """One host that did not answer."""

    __slots__ = ("address", "count", "when")

    def __init__(self, address: bytes, count: int, when: int) -> None:
        self.address, self.count, self.when = address, count, when

    def bytes(self) -> bytes:
        """As it stands in the file."""
        return self.address + bytes([self.count, 0, 0, 0]) + (self.when & 0xFFFFFFFF).to_bytes(4, "little") + bytes(4)


def parse(data: bytes) -> list[Record]:
    """The records of the file."""
    return [Record(data[at:at + 4], data[at + 4], int.from_bytes(data[at + 8:at + 12], "little"))
            for at in range(0, len(data) - RECORD + 1, RECORD)]


class DeadHosts:
    """The file at `path`.  Without it, or if it cannot be read, no host is dead.

    spread  a small number of this process's own, so that not all try a host again at the same moment
    """

    def __init__(self, path: str, spread: int) -> None:
        self.path, self.spread = path, spread
        self._seen: set[bytes] = set()

    def is_dead(self, address: bytes, now: int) -> bool:
        """Whether a host (4 bytes) timed out twice and lately."""
        for data, _ in self._locked():
            if address not in data:
                break  # so it is most of the time
            for record in parse(data):
                if record.address == address:
                    self._seen.add(address)
                    return record.count >= DEAD and now - record.when < (60 + (self.spread & 31)) * MINUTE
        return False

    def note(self, address: bytes, timed_out: bool, now: int) -> None:
        """Remember whether a host answered."""
        if not timed_out and address not in self._seen:
            return
        for data, fd in self._locked():
            records = parse(data)
            at = next((at for at, record in enumerate(records) if record.address == address), None)
            if at is None:
                if not timed_out:
                    return
                at = place(records)
                records[at] = Record(address, 1, now)
            elif not timed_out:
                records[at].count = 0
            elif records[at].count and now < records[at].when + AGAIN:
                return
            else:
                records[at] = Record(address, min(records[at].count + 1, MOST), now)
            os.pwrite(fd, records[at].bytes(), at * RECORD)

    def _locked(self) -> Iterator[tuple[bytes, int]]:
        """Yield once, with what the file holds and the locked file; not at all if there are no records."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return
        try:
            lock(fd, wait=True)
            if len(data := os.pread(fd, SIZE, 0)) >= RECORD:
                yield data, fd
        except OSError:
            return
        finally:
            os.close(fd)


def place(records: list[Record]) -> int:
    """Where a new host goes: a free record, else that of the host whose timeouts are least worth knowing."""
    for at, record in enumerate(records):
        if not record.count:
            return at
    return min(range(len(records)), key=lambda at: records[at].when + (records[at].count << 10))
