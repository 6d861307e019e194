"""What qmail-send tells a spawner on descriptor 0: a delivery number, then three strings, each ended by NUL (INTERNALS: Descriptors)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_BYTE = 255  # with more deliveries at once than this, numbers have two bytes, low byte first
NAME_LIMIT = 100
STRING_LIMIT = 65536  # no address that the queue takes comes near


class Order:
    """Deliver `message` (its name below queue/mess), from `sender`, to `recipient`; report under `number`."""

    __slots__ = ("number", "message", "sender", "recipient")

    def __init__(self, number: int, message: bytes, sender: bytes, recipient: bytes) -> None:
        self.number, self.message, self.sender, self.recipient = number, message, sender, recipient

    def wrong(self) -> str:
        """The report that a senseless order gets; "" for one that makes sense."""
        name = self.message
        if name.startswith(b"/") or not all(byte == 47 or 48 <= byte < 58 for byte in name):
            return "DInternal error: messid has nonnumerics. (#5.3.5)\n"
        if len(name) >= NAME_LIMIT:
            return "DInternal error: messid too long. (#5.3.5)\n"
        if not name:
            return "DInternal error: messid too short. (#5.3.5)\n"
        if b"@" not in self.recipient:
            return "DSorry, address must include host name. (#5.1.3)\n"
        return ""


def width(limit: int) -> int:
    """How many bytes a delivery number has on the pipes of a spawner with this limit."""
    return 1 if limit <= ONE_BYTE else 2


def encode(number: int, limit: int) -> bytes:
    """A delivery number, or the limit itself, as it goes over the pipes."""
    return number.to_bytes(width(limit), "little")


class OrderReader:
    """Cuts a stream of bytes into orders.  Does no input: the caller reads, this only remembers."""

    __slots__ = ("_pending", "_width")

    def __init__(self, limit: int) -> None:
        self._pending = b""
        self._width = width(limit)

    def feed(self, data: bytes) -> Iterator[Order]:
        """Yield each order that `data` completes."""
        start = self._width
        parts = self._pending + data
        while len(pieces := parts[start:].split(b"\0", 3)) == 4:
            number = int.from_bytes(parts[:start], "little")
            message, sender, recipient, parts = pieces
            yield Order(number, message, sender, recipient)
        self._pending = parts
        if len(parts) > 3 * STRING_LIMIT:
            raise ValueError("an order without end")
