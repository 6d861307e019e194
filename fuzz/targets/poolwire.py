"""Requests to a pool (text/poolwire.py).

- Nothing is raised but Malformed.
- What is understood has descriptors that are few, different and small, 16 pairs of limits, a umask, arguments and variables without NUL;
  written out once more it is understood as the same.
- No limit is lent that is above what the worker may have.
"""

from __future__ import annotations

from qmailpy.text.poolwire import HIGHEST, MOST_DESCRIPTORS, NO_LIMIT, RESOURCES, Malformed, above, lent, parse, raised

from fuzz.promise import promise

WORDS = (b"qmailpy 1\0", b"qmail-smtpd\0", b"0 1 2 \0", b"wd\0", b"18 \0", b"- - ", b"67108864 ", b"99999999999999999999 ", b"A=B\0", b"=\0",
         b"QMAILPY_HIDDEN_X=1\0", b"-1 ", b"1 \0")
LONGEST = 8192
OURS = [(NO_LIMIT, NO_LIMIT)] * 8 + [(1024, 4096)] * 8


def check(data: bytes) -> None:
    try:
        found = parse(data)
    except Malformed:
        return
    promise(len(found.descriptors) <= MOST_DESCRIPTORS and len(set(found.descriptors)) == len(found.descriptors)
            and all(0 <= fd < HIGHEST for fd in found.descriptors), "no such descriptors", found.descriptors)
    promise(len(found.limits.pairs) == RESOURCES and 0 <= found.umask < 0o1000, "no such limits", found.limits.pairs)
    promise(all(NO_LIMIT <= value < 1 << 63 for pair in found.limits.pairs for value in pair), "a limit that the system cannot hold", found.limits.pairs)
    words = (*found.arguments, *found.variables, *found.variables.values())
    promise(all("\0" not in word for word in words) and all("=" not in name and name for name in found.variables), "no such words", found.arguments,
            found.variables)
    again = parse(found.wire())
    same = again.limits.pairs == found.limits.pairs and all(getattr(again, name) == getattr(found, name) for name in found.__slots__ if name != "limits")
    promise(parse(data, again.limits).limits.pairs == found.limits.pairs, "what is known makes a difference", found.limits.pairs)
    promise(same or not found.program.isascii(), "written out, it is another one", found.wire())
    given = lent(found.limits.pairs, OURS)
    promise(given is None or all(not above(limit, OURS[resource][1]) for resource, limit in given.items()), "more than the worker has", given)
    for limit in found.limits.pairs:
        raised(limit)
