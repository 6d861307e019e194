"""Header fields: tokens, lists of addresses, folding (text/header.py, text/quote.py).

- Nothing is raised but Unparsable.
- The tokens of a field that is written anew are the tokens that were read; its lines begin with the name or a blank, and no byte of it is a CR or LF that
  begins a line of its own.
- An address in quotes, as the envelope has it, is read back as itself.
"""

from __future__ import annotations

from qmailpy.text.header import COMMA, COMMENT, AddressList, Unparsable, field, name, plain, tokens
from qmailpy.text.quote import quoted

from fuzz.promise import promise

WORDS = (b"To: ", b"<a@b>", b"a@b", b"(c)", b'"q"', b"\\", b"[1.2.3.4]", b"group: a, b;", b",", b"<@x,@y:a@b>", b"\n ", b"\r\n\t", b"((", b"))", b"\\\n",
         b"a b c", b"name <a@b> (c),")


def check(data: bytes) -> None:
    promise(name(data) == b"" or all(32 < byte < 127 for byte in name(data)), "no such name", name(data))
    box(data)
    try:
        read = tokens(data)
    except Unparsable:
        return
    for width in (80, 1):
        written = field(read, width)
        promise(written.endswith(b"\n"), "no end", written)
        promise(tokens(written) == read or b"\n" in data or b"\r" in data, "written as something else", written)
    listed: list[bytes] = []

    def note(address: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        try:
            listed.append(plain(address))
        except Unparsable:
            pass
        return address

    try:
        changed = AddressList(read, note).changed()
    except Unparsable:
        return
    promise(all(byte not in b"\0\r\n" for address in listed for byte in address), "no envelope can hold it", listed)
    kept, words = ([token for token in line if token[0] != COMMENT and token != COMMA] for line in (read, changed))
    promise(kept == words, "other tokens", changed)
    promise(sum(map(len, listed)) <= sum(len(text) + 2 for _, text in kept), "addresses out of nothing", listed)


def box(data: bytes) -> None:
    """The bytes as a local part."""
    if {0, 10, 13} & set(data) or not data:
        return
    address = data.replace(b"@", b"") + b"@b.example"
    try:
        promise(plain(tokens(quoted(address))) == address, "read back as another one", quoted(address))
    except Unparsable:
        promise(False, "what we write cannot be read", quoted(address))
