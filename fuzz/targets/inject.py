"""What qmail-inject makes of a message (unix/message.py, text/rewrite.py).

- Nothing is raised but Unparsable (a field cannot be understood) and Permanent (a header of more than 16 MiB).
- The header that is sent is fields and nothing else: no line of it is empty, none begins a body early, nobody is told of Bcc.
- It has a date, a message id, an author; sent through once more it is understood, and has the same fields.
- Recipients and sender have no CR, LF or NUL.  Header and body make the message; the body is what followed the header.
"""

from __future__ import annotations

from qmailpy.exits import Permanent
from qmailpy.text.header import Unparsable, name
from qmailpy.text.rewrite import Author, Header, Hosts
from qmailpy.unix.message import Message

from fuzz.promise import descriptor_of, number_of, promise
from fuzz.worlds import FORBIDDEN, NOW

WORDS = (b"To: ", b"\nCc: ", b"\nBcc: ", b"\nFrom: ", b"\nResent-To: ", b"\nReturn-Path: <", b"\nDate: ", b"\nMessage-ID: ", b"\nApparently-To: ",
         b"\nContent-Length: 1", b"\n\n", b"From x\n",
         b"<a@b>", b"a@b", b"(c)", b'"q"', b"\\", b"[1.2.3.4]", b"group: a, b;", b",", b"<@x,@y:a@b>", b"\n ", b"\n\t", b"((", b"+", b"list@x.example",
         b"\nMail-Followup-To: x")


def check(data: bytes) -> None:
    try:
        head, body, sender, recipients = rewritten(data, number_of(data) & 3)
    except (Unparsable, Permanent):
        return
    promise(all(FORBIDDEN.isdisjoint(address) for address in (sender, *recipients)), "no envelope can hold it", sender, recipients)
    rows = head.split(b"\n")
    promise(rows.pop() == b"", "the header has no end", head)
    kinds = set()
    for row in rows:
        promise(row != b"", "an empty line in the header", head)
        if not row.startswith((b" ", b"\t")):
            kinds.add(name(row))
    promise(b"" not in kinds and not kinds & {b"bcc", b"resent-bcc", b"return-path", b"content-length"}, "no such field", head)
    resent = b"resent-" if any(kind.startswith(b"resent-") for kind in kinds) else b""
    promise({b"date", b"from", b"message-id"} <= {kind.removeprefix(resent) for kind in kinds}, "a field is missing", head)
    promise(body == b"" or body.endswith(b"\n"), "the last line has no end", body)
    promise((data + b"\n").endswith(body.removeprefix(b"\n")) or data.endswith(body.removeprefix(b"\n")), "another body", body)
    if not {13, 92, 0} & set(data):  # what is escaped, or folded in odd ways, is written in other words
        once_more(head, body)


def rewritten(data: bytes, kind: int) -> tuple[bytes, bytes, bytes, list[bytes]]:
    """(header, body, sender, recipients)."""
    author = Author(b"me", None, b'My "Name' if kind & 1 else None)
    author.commented, author.verp = bool(kind & 2), bool(kind & 1)
    header = Header(Hosts(b"host.example", b"example", b"plus.example"), author)
    with descriptor_of(data) as fd:
        message = Message(fd)
        for line in message.fields():
            header.take(line)
        recipients, sender = header.recipients(), header.envelope_sender()
        return header.fields(NOW, 7, b"id.example", {b"list@x.example"}), b"".join(message.body()), sender, recipients


def once_more(head: bytes, body: bytes) -> None:
    """What was sent, given to it again."""
    try:
        again, behind, _, _ = rewritten(head + body, 0)
    except Unparsable as problem:
        promise(False, "it does not understand what it has written", problem.args[0])
        return
    promise(behind == body, "another body", body, behind)
    promise({name(row) for row in again.split(b"\n")} == {name(row) for row in head.split(b"\n")}, "other fields", again, head)
