"""Orders to a spawner, and requests to qmail-clean (spawn/orders.py, programs/qmail_clean.py).

- Nothing is raised but ValueError, for an order without end; the pieces change nothing.
- An order that makes sense names a file below queue/mess, whatever it says: digits and slashes, and no slash at its beginning.
- A request is obeyed only if it is foop/N or todo/N with digits only.
"""

from __future__ import annotations

import re

from qmailpy.programs.qmail_clean import KINDS, number_of, requests
from qmailpy.spawn.orders import OrderReader, encode, width

from fuzz.promise import deliveries, descriptor_of, promise

WORDS = (b"\0", b"\x011/23\0a@b.example\0c@d.example\0", b"../", b"/", b"foop/", b"todo/", b"foop/123\0", b"todo/1\0", b"@", b"\x00\x01")


def check(data: bytes) -> None:
    for limit in (120, 1000):
        ways = [orders(way, limit) for way in deliveries(data)]
        promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
        whole = b"".join(encode(number, limit) + message + b"\0" + sender + b"\0" + recipient + b"\0" for number, message, sender, recipient in ways[0])
        promise(data.startswith(whole) and data[len(whole) + width(limit):].count(b"\0") < 3, "other orders", ways[0])
    with descriptor_of(data) as fd:
        for request in (one for some in requests(fd) for one in some):
            number = number_of(request) if request[:5] in KINDS else None
            promise(number is None or re.fullmatch(rb"(foop|todo)/[0-9]{1,94}", request) is not None, "obeyed", request)


def orders(parts: list[bytes], limit: int) -> list[tuple[int, bytes, bytes, bytes]]:
    """The orders."""
    reader, found = OrderReader(limit), []
    for part in parts:
        for order in reader.feed(part):
            promise(bool(order.wrong()) or re.fullmatch(rb"[0-9][0-9/]{0,98}", order.message) is not None, "a file elsewhere", order.message)
            found.append((order.number, order.message, order.sender, order.recipient))
    return found
