"""Lines that servers say, checked without the code that makes them."""

from __future__ import annotations

import re

from fuzz.promise import promise

REPLY = re.compile(rb"(?:(\d{3})-[^\r\n\0]*\r\n)*(\d{3})(?: [^\r\n\0]*)?\r\n")


def smtp(said: bytes) -> list[int]:
    """The codes of SMTP replies (RFC 5321 section 4.2).  Raises Broken."""
    codes, at = [], 0
    while at < len(said):
        found = REPLY.match(said, at)
        promise(found is not None, "that is no reply", said[at:at + 200])
        assert found
        lines = found[0].split(b"\r\n")[:-1]
        promise(len({line[:3] for line in lines}) == 1, "two codes in one reply", found[0])
        codes.append(int(found[2]))
        at = found.end()
    return codes


def netstrings(said: bytes) -> list[bytes]:
    """The contents of netstrings in a row.  Raises Broken."""
    found, at = [], 0
    while at < len(said):
        colon = said.find(b":", at)
        promise(colon > 0 and said[at:colon].isdigit(), "that is no netstring", said[at:at + 100])
        begin, end = colon + 1, colon + 1 + int(said[at:colon])
        promise(said[end:end + 1] == b",", "a netstring without end", said[at:at + 100])
        found.append(said[begin:end])
        at = end + 1
    return found
