"""A message as POP3 sends it (pop3/message.py).

- It ends with a line that is a dot, has no such line before, and a client that takes the dots off gets the message back, with an empty line more.
- TOP gives a beginning of the message: the header and as many lines as were asked for.
- The size of blocks changes nothing.
"""

from __future__ import annotations

from qmailpy.pop3.message import END, top, wire

from fuzz.promise import deliveries, number_of, promise

WORDS = (b"\n.\n", b"\n..\n", b"\r\n.\r\n", b"\n\n", b"\r", b"a: b\n")


def check(data: bytes) -> None:
    lines = number_of(data) % 5
    sent = [b"".join(wire(way)) for way in deliveries(data)]
    promise(all(one == sent[0] for one in sent), "it depends on the blocks", *sent)
    body = sent[0].removesuffix(END)
    promise(sent[0].endswith(END) and (b"\r\n" + body).find(b"\r\n.\r\n") < 0, "an end in the middle", sent[0])
    back = b"\n".join(line.removeprefix(b".") for line in body.split(b"\r\n"))
    given = data if data.endswith(b"\n") or not data else data + b"\n"
    if b"\r\n" not in data:  # what ends in CR LF in the Maildir cannot be told from what ends in LF
        promise(back == given, "another message", back)
    tops = [b"".join(top(way, lines)) for way in deliveries(data)]
    promise(all(one == tops[0] for one in tops), "TOP depends on the blocks", *tops)
    head, blank, rest = (b"\n" + data).partition(b"\n\n")
    wanted = data if not blank else (head + blank)[1:] + b"".join(line + b"\n" for line in rest.split(b"\n")[:lines])
    promise(data.startswith(tops[0]) and (tops[0] == wanted or tops[0] == data), "TOP gives something else", tops[0], wanted)
