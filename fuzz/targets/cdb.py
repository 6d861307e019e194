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
        promise(all(get(cut, key) == "damaged" for key in KEYS), "the end is missing, and it does not see that", len(cut))
    elif how == b"z":  # a block of zeros, as a power cut leaves it
        begin = number_of(rest) % len(WHOLE)
        size = 1 << number_of(rest + b"x") % 12
        hurt = WHOLE[:begin] + bytes(min(size, len(WHOLE) - begin)) + WHOLE[begin + size:]
        for key in KEYS:
            found = get(hurt, key)
            promise(found is not None or begin + size > TABLES or get(WHOLE, key) is None, "it is there, and not found", key)
    elif how == b"o":  # overwritten
        begin = number_of(rest[:4]) % len(WHOLE)
        for key in KEYS:
            get(WHOLE[:begin] + rest[4:] + WHOLE[begin + len(rest[4:]):], key)
    elif how == b"g":  # good
        words = rest.split(b"\n")
        table = build((word, b"<%d>" % at) for at, word in enumerate(words))
        promise(all(get(table, word) == b"<%d>" % words.index(word) for word in words), "another value")
        promise(b"nothing" in words or get(table, b"nothing") is None, "a key that is not there")
    else:
        for key in KEYS:
            get(rest, key)


def get(table: bytes, key: bytes) -> bytes | str | None:
    """What a table says about a key; "damaged"."""
    try:
        with file_of(table) as path:
            return Reader(path).get(key)
    except Temporary:
        return "damaged"
