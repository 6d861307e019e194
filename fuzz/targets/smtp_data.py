"""The message in SMTP's DATA (smtp/data.py), and what the sending side makes of a message (Stuffer).

- A message ends at the first line that is a dot between CR LF and CR LF, and nowhere else; an LF without CR is refused.
- The size of the pieces changes nothing: neither content, nor rest, nor hops.
- What the sending side puts on the wire, any receiver takes for exactly one message with the same lines: it ends in CR LF, has no CR or LF
  alone, and no dot alone before its end.
"""

from __future__ import annotations

from qmailpy.smtp.client import PartialLine, Stuffer
from qmailpy.smtp.data import DataReader, StrayNewline

from fuzz.promise import deliveries, promise
from fuzz.targets.smtp_session import message

WORDS = (b"\r\n.\r\n", b".\r\n", b"\r\n.", b"\r.", b"\n.", b"\r\n..", b"\r\n.\r\r\n", b"Received: ", b"Delivered-To: ", b"\r\r\n", b"\n\n")


def check(data: bytes) -> None:
    ways = [received(way) for way in deliveries(data)]
    promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    body, end = message(data, 0)
    stray, content, rest, hops = ways[0]
    if body is not None:
        promise((content, rest) == (body, data[end:]), "another message than was meant", content, body)
        head = (b"\r\n" + data[:end - 3]).split(b"\r\n\r\n")[0].split(b"\r\n")  # a dot in front of a field's name hides it, as in C
        promise(hops == sum(line[:9].lower().startswith((b"received", b"delivered")) for line in head), "other hops", hops)
    elif not stray:
        promise(rest is None, "it has an end that nobody meant", content)
    sent(data)


def received(parts: list[bytes]) -> tuple[bool, bytes, bytes | None, int]:
    """(whether an LF is alone, the message, what follows it or None, hops)."""
    reader, content = DataReader(), []
    for at, part in enumerate(parts):
        try:
            content.append(reader.feed(part))
        except StrayNewline:
            return True, b"", None, 0
        if reader.over:
            return False, b"".join(content), reader.rest + b"".join(parts[at + 1:]), reader.counter.hops
    return False, b"" if not reader.over else b"".join(content), None, 0


def sent(data: bytes) -> None:
    """The same bytes as a message that goes out."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for way in deliveries(data):
        stuffer = Stuffer()
        wire = b"".join([stuffer.feed(part) for part in way])
        try:
            wire += stuffer.finish()
        except PartialLine:
            promise(bool(lines) and not lines.endswith(b"\n"), "the message is whole")
            continue
        promise(wire.replace(b"\r\n", b"").strip(b"\r\n") == wire.replace(b"\r\n", b""), "a CR or LF alone")
        promise(message(wire, 0) == (lines, len(wire)), "another message than was to be sent", wire)
