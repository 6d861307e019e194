"""A whole session of qmail-smtpd.

- Whatever a client says and in whatever pieces it comes, the session raises nothing and says replies in the form of RFC 5321.
- One line, one reply; how many messages there are, and what is in each, is what a reader of lines says that knows CR LF . CR LF and nothing else
  for a message's end: nothing within a message is ever taken for a command, nothing behind it for a message (smuggling).
- A message that is queued was answered with 250, has the sender and recipients that were answered with 250, and none of them has a CR, LF or NUL.
- The size of the pieces changes nothing.
"""

from __future__ import annotations

from qmailpy.smtp.server import Session
from qmailpy.text.received import Client

from fuzz import replies
from fuzz.promise import deliveries, number_of, promise
from fuzz.worlds import World, values

WORDS = (b"HELO ", b"EHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@ours.example>\r\n", b"DATA\r\n", b"\r\n.\r\n", b"\n.\r\n", b"\r\n.\n",
         b"\n.\n", b"\r.\r",
         b"\r\n.\r\r\n", b"\r\n..\r\n", b"RSET\r\n", b"QUIT\r\n", b"NOOP\r\n", b"AUTH PLAIN ", b"AUTH LOGIN\r\n", b"AUTH CRAM-MD5\r\n", b"*\r\n", b"Z29vZAA=",
         b"STARTTLS\r\n",
         b" SIZE=", b"@x,@y:", b"@[192.0.2.1]", b"Received: x\r\n", b"x" * 1000, b"prvs=0123abcdef=", b"#@[]", b"%d@", b"VRFY x\r\n", b"HELP\r\n",
         b"ours.example", b"MAIL", b"RCPT",
         b"\r\nMAIL FROM:<evil@b.example>\r\n")
LONGEST = 16384
LONGEST_LINE = values().number("maxline")

SETTINGS: tuple[dict[str, object], ...] = (
    {}, {"databytes": 100}, {"maxrecipients": 2}, {"mfcheck": 2}, {"localiphost": b"ours.example", "smtpgreeting": b"mx.example"},
    {"badmailfrom": frozenset([b"evil@b.example", b"@bad.example"])},
    {"recipientchk": 1, "locals": frozenset([b"ours.example"]), "virtualdomains": {b"deep.sub.example": b"joe"}, "percenthack": frozenset([b"ours.example"])},
    {"recipientchk": 2, "recipients": [b"ours.example:cdb:users/recipients.cdb"]},
    {"signkey": b"key", "signkeystale": 7}, {"antispoofing": [b"b.example:10.0.0.0/8", b"a.example:10.1"], "helodnschkext": True},
    {"badheloext": [b"no.example"], "badmailfromext": [b"evil"], "badmailtoext": [b"spam"], "badrmhostext": [b"dialup"]},
    {"databytesmf": {b"@b.example": b"10", b"": b"x"}, "databytesrcpt": {b"c@ours.example": b"20", b"ours.example": b"9999999999999999999999"}},
    {"clamd": b"127.0.0.1:3310", "clamdfailreject": True}, {"tarpitcount": 1, "tarpitdelay": 1, "rcptdelay": 1, "mfdelay": 1, "helodelay": 1, "greetdelay": 1},
)


def check(data: bytes) -> None:
    kind = number_of(data[:8])
    said = [play(way, kind) for way in deliveries(data)]
    promise(all(one == said[0] for one in said), "it depends on the pieces", *said)
    believe(data, *said[0])


def play(parts: list[bytes], kind: int) -> tuple[bytes, list[tuple[bytes, list[bytes], bytes]], int | None]:
    """What is said, queued, and the exit status."""
    world = World()
    known = values(**{"rcpthosts": frozenset([b"ours.example", b".sub.example"]), **SETTINGS[kind % len(SETTINGS)]})
    session = Session(known, Client(ip=b"192.0.2.7"), world, b"" if kind & 64 else None, auth_host=b"mx.example" if kind & 128 else None)
    said = [session.greeting()]
    for part in parts:
        said += session.feed(part)
        if session.closing is not None:
            break
    session.abandon()
    promise(world.all_over, "a queue is left open")
    return b"".join(said), world.queued, session.closing


def believe(data: bytes, said: bytes, queued: list[tuple[bytes, list[bytes], bytes]], closing: int | None) -> None:
    """Hold what was said and queued against what the bytes mean."""
    codes = iter(replies.smtp(said)[1:])
    at, meant, count, challenged = 0, [], 0, False
    for code in codes:
        end = data.find(b"\n", at)
        promise(end >= 0, "a reply to nothing", code)
        line, at = data[at:end].removesuffix(b"\r"), end + 1
        verb = line.partition(b" ")[0].upper()
        if challenged or end - at > LONGEST_LINE:
            challenged = code == 334
            continue
        challenged = code == 334
        count = count + 1 if verb == b"RCPT" and code == 250 else count
        if verb in (b"MAIL", b"HELO", b"EHLO", b"RSET") and code == 250:
            count = 0
        if code != 354:
            continue
        promise(verb == b"DATA" and count > 0, "no message can begin here", line)
        body, at = message(data, at)
        answer = next(codes, None)
        if body is None:
            promise(answer in (None, 451), "a message that does not end has been answered", answer)
            promise(answer is None or closing == 1, "after a stray newline the session goes on")
            break
        if answer == 250:
            meant.append((count, body))
        count = 0
    promise([(len(recipients), content) for _, recipients, content in headless(queued)] == meant, "other messages than were meant", queued, meant)


def message(data: bytes, at: int) -> tuple[bytes | None, int]:
    """The message that begins there, as the client means it, and where it ends; None: it does not end, or an LF stands alone in it."""
    lines: list[bytes] = []
    while (end := data.find(b"\r\n", at)) >= 0:
        line, at = data[at:end], end + 2
        if b"\n" in line:
            return None, at
        if line == b".":
            return b"".join(one + b"\n" for one in lines), at
        lines.append(line[1:] if line.startswith(b".") and not line.startswith(b".\r") else line)
    return None, at


def headless(queued: list[tuple[bytes, list[bytes], bytes]]) -> list[tuple[bytes, list[bytes], bytes]]:
    """The messages without the Received field of ours."""
    found = []
    for sender, recipients, content in queued:
        first, second, rest = content.split(b"\n", 2)
        promise(first.startswith(b"Received: from ") and second.startswith(b"  by "), "that is no Received field", first, second)
        found.append((sender, recipients, rest))
    return found
