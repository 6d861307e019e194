"""The talk with one spawner: orders out, reports in (INTERNALS: Descriptors of qmail-send)."""

from __future__ import annotations

import os

from qmailpy.send.jobs import Slots
from qmailpy.unix.fds import set_nonblocking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT_LIMIT = 10000  # bytes, delivery number included; qmail-rspawn is not trusted to keep it short
ONE_BYTE = 255
MOST_WAITING = 65536  # bytes of orders that a spawner has not taken yet; more are not made


class Lost(Exception):
    """The spawner has gone."""


class Channel:
    """One spawner.

    name     "local" or "remote"
    orders   descriptor to write orders to
    reports  descriptor to read reports from
    spawn    conf-spawn: above 255, numbers on the pipes have two bytes, low byte first
    """

    def __init__(self, name: str, orders: int, reports: int, spawn: int) -> None:
        self.name, self.orders, self.reports = name, orders, reports
        self.width = 1 if spawn <= ONE_BYTE else 2
        self.slots = Slots(0)
        self.alive = True
        self._out = b""
        self._in = bytearray()

    def hello(self, wanted: int) -> bool:
        """Hear how many deliveries the spawner can run, and take no more than `wanted`; False if it says nothing."""
        said = b""
        while len(said) < self.width:
            try:
                data = os.read(self.reports, self.width - len(said))
            except OSError:
                data = b""
            if not data:
                return False
            said += data
        self.slots.limit = min(wanted, int.from_bytes(said, "little"))
        set_nonblocking(self.orders)  # a spawner that does not read must not hold us up
        return True

    @property
    def ready(self) -> bool:
        """Whether an order can be given now."""
        return self.alive and self.slots.available and len(self._out) < MOST_WAITING

    @property
    def pending(self) -> bool:
        """Whether something waits to be written."""
        return self.alive and bool(self._out)

    def order(self, slot: int, message: str, sender: bytes, recipient: bytes) -> None:
        """Order a delivery; it goes out with the next `write`."""
        self._out += b"%b%b\0%b\0%b\0" % (slot.to_bytes(self.width, "little"), message.encode(), sender, recipient)

    def write(self) -> None:
        """Write what waits, as far as it goes.  Raises Lost."""
        try:
            self._out = self._out[os.write(self.orders, self._out):]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            raise Lost from None
        except OSError:
            pass  # it will be tried again, and a spawner that has gone is noticed at its reports

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Yield (slot, text) of each report that has come.  Raises Lost."""
        try:
            data = os.read(self.reports, 65536)
        except OSError:
            return
        if not data:
            raise Lost
        at = 0
        while at < len(data):
            if len(self._in) < self.width:
                take = self.width - len(self._in)
                self._in += data[at:at + take]
                at += take
                continue
            end = data.find(b"\0", at)
            piece = data[at:] if end < 0 else data[at:end]
            self._in += piece[:max(REPORT_LIMIT - len(self._in), 0)]
            if end < 0:
                return
            at = end + 1
            slot, text = int.from_bytes(self._in[:self.width], "little"), bytes(self._in[self.width:])
            self._in.clear()
            yield slot, text
