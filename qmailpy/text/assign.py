"""users/assign and what qmail-newu makes of it (qmail-users(5)).

=local:user:uid:gid:home:dash:ext:    one address          key !local NUL
+prefix:user:uid:gid:home:dash:pre:   all that begin so    key !prefix; what follows the prefix is added to pre
.                                     the end
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_DIGITS = 20  # more than any uid has; Python refuses to read some thousands
FIELDS = 6  # after the local part


class BadLine(ValueError):
    """A line of users/assign that makes no sense; `number` counts from 1."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"line {number}: {why}")
        self.number, self.why = number, why


class Account:
    """Where an address is delivered: user name, uid, gid, home folder, dash, extension."""

    __slots__ = ("user", "uid", "gid", "home", "dash", "ext")

    def __init__(self, user: bytes, uid: int, gid: int, home: bytes, dash: bytes, ext: bytes) -> None:
        self.user, self.uid, self.gid, self.home, self.dash, self.ext = user, uid, gid, home, dash, ext

    def fields(self) -> bytes:
        """The same, each ended by NUL, as qmail-getpw says it."""
        return b"%s\0%d\0%d\0%s\0%s\0%s\0" % (self.user, self.uid, self.gid, self.home, self.dash, self.ext)


def records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records of users/cdb, that of the wildcard characters last.  Raises BadLine."""
    wildcards = b""
    lines = data.split(b"\n")
    for number, row in enumerate(lines, 1):
        if row.startswith(b"."):
            yield b"", wildcards
            return
        if number == len(lines):
            break
        key, value = record(row, number)
        if row.startswith(b"+") and len(key) > 1 and key_end(row) not in wildcards:
            wildcards += key_end(row)
        yield key, value
    raise BadLine(len(lines), "the last line must be a dot")


def key_end(row: bytes) -> bytes:
    """The last character of a line's first field, in the case it is written in."""
    return row.partition(b":")[0][-1:]


def record(row: bytes, number: int) -> tuple[bytes, bytes]:
    """The key and value of one line."""
    fields = row.split(b":")
    if b"\0" in row:
        raise BadLine(number, "has a NUL")
    if not fields[0]:
        raise BadLine(number, "does not begin with = or +")
    if len(fields) <= FIELDS + 1:
        raise BadLine(number, f"has fewer than {FIELDS + 1} colons")
    key = b"!" + fields[0][1:].lower()
    return key if row.startswith(b"+") else key + b"\0", b"\0".join(fields[1:FIELDS + 1])


def account(fields: bytes) -> Account | None:
    """What the NUL-separated fields say, of users/cdb or of qmail-getpw; None if there are too few."""
    parts = fields.split(b"\0")
    if len(parts) < FIELDS:
        return None
    return Account(parts[0], number(parts[1]), number(parts[2]), *parts[3:FIELDS])


def number(text: bytes) -> int:
    """The leading digits, 0 if there are none: then delivery is refused.  Of very many the first ones: they are nobody's either."""
    digits = text[: len(text) - len(text.lstrip(b"0123456789"))]
    return int(digits[:MOST_DIGITS] or b"0")


def find(local: bytes, get: Callable[[bytes], bytes | None]) -> bytes | None:
    """The fields for a local part: its own record, else that of its longest listed prefix; None if there is neither.

    get  looks a key up in users/cdb; the empty key must be there
    """
    wildcards = get(b"")
    if wildcards is None:
        raise ValueError("no record of wildcard characters")
    key = b"!" + local.lower()
    if (value := get(key + b"\0")) is not None:
        return value
    for end in range(len(key), 0, -1):
        # Only prefixes that end in a character some + line ends in can be there; the empty prefix always can.
        if (end == 1 or key[end - 1] in wildcards) and (value := get(key[:end])) is not None:
            return value + local[end - 1:]
    return None
