"""Reports of deliveries: from what a program prints to what qmail-send hears (spawn/report.py, send/channel.py, send/bounce.py, send/log.py).

- Nothing is raised; a report begins with K, Z or D and has no NUL; qmail-send hears exactly the reports that were said, cut at its limit,
  in whatever pieces they come.
- qmail-remote that crashed or said nothing is never K.
- In a bounce a failure is one paragraph; what is logged of it is one line.
"""

from __future__ import annotations

import os

from qmailpy.send.bounce import Postmark, cut, head, middle, paragraph, plain_sender
from qmailpy.send.channel import REPORT_LIMIT, Channel
from qmailpy.send.log import safe
from qmailpy.spawn.report import of_local, of_remote
from qmailpy.text.route import expand_sender

from fuzz.promise import number_of, pieces, promise
from fuzz.worlds import NOW

WORDS = (b"r\0", b"h", b"s", b"K", b"Z", b"D", b"\0", b"\n\n", b"\n", b"rK accepted\n\0", b"-@[]", b"#@[]", b"a@b.example")


def check(data: bytes) -> None:
    for status in (0, 1, 100, 111, 112, -9):
        for text in (of_local(status, data), of_remote(status, data)):
            promise(text[:1] in (b"K", b"Z", b"D") and b"\0" not in text, "no such report", text)
        promise(status == 0 or not of_remote(status, data).startswith(b"K"), "delivered, though it failed")
    promise(not of_remote(0, b"").startswith(b"K"), "delivered, though it said nothing")
    heard(data)
    bounce(data)


def heard(data: bytes) -> None:
    """The bytes as a spawner's reports, in pieces."""
    for width, spawn in ((1, 120), (2, 1000)):
        wanted, rest = [], data
        while len(rest) > width and (end := rest.find(b"\0", width)) >= 0:
            wanted.append((int.from_bytes(rest[:width], "little"), rest[width:end][:REPORT_LIMIT - width]))
            rest = rest[end + 1:]
        source, target = os.pipe()
        try:
            channel, found = Channel("local", -1, source, spawn), list[tuple[int, bytes]]()
            for piece in pieces(data, 1 + number_of(data) % 200):
                os.write(target, piece)
                found += channel.read()
        finally:
            os.close(source)
            os.close(target)
        promise(found == wanted, "other reports", found, wanted)


def bounce(data: bytes) -> None:
    """The bytes as addresses and words of a bounce."""
    address, _, text = data.partition(b"\0")
    text = text.replace(b"\0", b"")
    made = paragraph(address, text)
    promise(made.endswith(b"\n\n") and b"\n\n" not in made[1:-2] and made.count(b"\n", 0, len(address) + 3) == 0, "more than one paragraph", made)
    mark = Postmark(address.replace(b"\n", b""), b"x.example", b"postmaster@x.example")
    promise("\n" not in safe(data), "more than one line", safe(data))
    if b"\n" not in address:
        promise(head(address, mark, NOW).split(b"\n\n")[0].count(b"\n") == 3, "more than four fields", head(address, mark, NOW))
        promise(middle(address).count(b"\n") == 3, "more lines", middle(address))
    expand_sender(plain_sender(address), text)
    promise(sum(map(len, cut([text, text], 100))) <= 100 + 40, "more than the limit")
