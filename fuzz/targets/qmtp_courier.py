"""qmail-remote's side of QMTP, against a server that says anything (remote/qmtp.py).

- Nothing is raised; the records are for some recipients r, h or s, then one of K, Z and D, each with one NUL, at its end.
- K is said only if a recipient was accepted; the pieces change nothing; the connection is closed.
"""

from __future__ import annotations

from qmailpy.remote.qmtp import QmtpCourier
from qmailpy.text.netstring import encoded

from fuzz.promise import as_zero, deliveries, descriptor_of, promise
from fuzz.targets.smtp_courier import Server

WORDS = (b"K", b"Z", b"D", encoded(b"Kok 1 qp 2"), encoded(b"Dno (#5.0.0)"), encoded(b"Zlater"), b"0:,", b"4096:", b"200000001:", b",", b":", b"\0", b"\n",
         b"\r")
RECIPIENTS = [b"a@x.example", b"b@x.example"]


def check(data: bytes) -> None:
    if not data:
        return
    ways = [run(way) for way in deliveries(data)]
    promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    records = ways[0]
    promise(records.endswith(b"\0"), "the last record has no end", records)
    *told, last = records.split(b"\0")[:-1]
    promise(len(told) <= len(RECIPIENTS) and all(one[:1] in (b"r", b"h", b"s") for one in told) and last[:1] in (b"K", b"Z", b"D"), "no such records", records)
    promise(last[:1] != b"K" or b"r" in told, "accepted by nobody", records)


def run(parts: list[bytes]) -> bytes:
    """The records."""
    server = Server([part for part in parts if part])
    with descriptor_of(b"Subject: x\n\nbody\n") as fd, as_zero(fd):
        records = QmtpCourier(server, "192.0.2.9").run(b"s@y.example", RECIPIENTS)
    promise(server.closed, "the connection is left open")
    return records
