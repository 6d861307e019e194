"""Constant databases, damaged in all ways (unix/cdb.py): users/cdb, rcpthosts, recipients, rules of the listener.

- The first byte says how the rest is used: as a table with that content, or as the damage to a good one.
- Nothing is raised but Temporary; no search goes on for ever; no descriptor stays open.
- A good table gives the first value of each key, and None for others.
- A table that was cut off is damaged.  Of one that has zeros where there was something, no key is said to be absent, unless it is slots of its
  own hash table that have gone, which nobody can see.
"""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.unix.cdb import Reader, build

from fuzz.promise import file_of, number_of, promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = (b"\0\x08\0\0", b"\x01\0\0\0", b"\xff\xff\xff\xff", bytes(8), bytes(512))
LONGEST = 8192
RECORDS = ((b"one", b"1"), (b"two", b"22"), (b"", b"wild"), (b"one", b"second"), (b"!user\0", b"u\0001\0002\0/h\0-\0e"),
           *((b"key%d" % at, b"value%d" % at) for at in range(40)))
WHOLE = build(RECORDS)
TABLES = int.from_bytes(WHOLE[:4], "little")  # where they begin
KEYS = (b"one", b"two", b"", b"three", b"key7", b"!user\0")


def check(data: bytes) -> None:
    how, rest = data[:1], data[1:]
    if how == b"c":  # cut
        cut = WHOLE[:number_of(rest) % len(WHOLE)]
        promise(set(found(cut).values()) == {"damaged"}, "the end is missing, and it does not see that", len(cut))
    elif how == b"z":  # a block of zeros, as a power cut leaves it
        begin = number_of(rest) % len(WHOLE)
        size = 1 << number_of(rest + b"x") % 12
        hurt = found(WHOLE[:begin] + bytes(min(size, len(WHOLE) - begin)) + WHOLE[begin + size:])
        promise(begin + size > TABLES or all(hurt[key] is not None or key not in dict(RECORDS) for key in KEYS), "it is there, and not found", hurt)
    elif how == b"o":  # overwritten
        begin = number_of(rest[:4]) % len(WHOLE)
        found(WHOLE[:begin] + rest[4:] + WHOLE[begin + len(rest[4:]):])
    elif how == b"g":  # good
        words = rest.split(b"\n")
        table = found(build((word, b"<%d>" % at) for at, word in enumerate(words)), [*words, b"nothing"])
        promise(all(table[word] == b"<%d>" % words.index(word) for word in words[:50]), "another value")
        promise(b"nothing" in words or table[b"nothing"] is None, "a key that is not there")
    else:
        found(rest)


def found(table: bytes, keys: Sequence[bytes] = KEYS) -> dict[bytes, bytes | str | None]:
    """What a table says about each key; "damaged"."""
    said: dict[bytes, bytes | str | None] = dict.fromkeys(keys, "damaged")
    with file_of(table) as path:
        try:
            reader = Reader(path)
        except Temporary:
            return said
        for key in keys:
            try:
                said[key] = reader.get(key)
            except Temporary:
                pass
    return said
