"""A session that waits for a command, as a message from one process of a pool to another (INTERNALS: Resident pools).

Both are of one pool, and so of one version.  A message is a head of fixed size, netstrings, and the request that the session began with.
"""

from __future__ import annotations

from math import inf
from struct import Struct
from struct import error as StructError  # noqa: N812 (it is a class)

from qmailpy.text.netstring import Ended, Reader, encoded
from qmailpy.text.netstring import Malformed as NoNetstring

LIMIT = 16384  # bytes of a message; what needs more is not worth to be kept
MOST_TOLD = 255

# When it has to go on; when it has to be over; whether it ends with its caller; process id; whether there was a HELO; helo_known; told lines.  Times are
# seconds of the monotonic clock.
HEAD = Struct("!dd?I?bB")


class Malformed(Exception):
    """A message that makes no sense."""


class Rest:
    """What a session is while it waits, its client's connection apart.

    pid         that log lines tell it by
    helo        the name in HELO or EHLO; None before that
    helo_known  whether it is in the DNS; None: nobody has asked yet
    told        log lines that are not to be told again
    doing       what it did last
    counts      numbers that limits are about
    """

    __slots__ = ("pid", "helo", "helo_known", "told", "doing", "counts")

    def __init__(self, pid: int, helo: bytes | None, helo_known: bool | None, told: tuple[bytes, ...], doing: str, counts: tuple[int, ...] = ()) -> None:
        self.pid, self.helo, self.helo_known, self.told, self.doing, self.counts = pid, helo, helo_known, told, doing, counts


class Parked:
    """A session that waits.

    deadline  when it has waited long enough
    request   the message that it began with (text/poolwire.py)
    watched   it ends with its caller
    end       when it must be over; None: there is no such time
    """

    __slots__ = ("rest", "deadline", "request", "watched", "end")

    def __init__(self, rest: Rest, deadline: float, request: bytes, *, watched: bool, end: float | None = None) -> None:
        self.rest, self.deadline, self.request, self.watched, self.end = rest, deadline, request, watched, end

    def wire(self) -> bytes:
        """The message.  Raises Malformed if it would be too large."""
        rest = self.rest
        known = -1 if rest.helo_known is None else int(rest.helo_known)
        if len(rest.told) > MOST_TOLD:
            raise Malformed("much was told")
        head = HEAD.pack(self.deadline, inf if self.end is None else self.end, self.watched, rest.pid, rest.helo is not None, known, len(rest.told))
        counts = b"".join(b"%d " % count for count in rest.counts)
        data = head + b"".join(map(encoded, (rest.helo or b"", rest.doing.encode(), counts, *rest.told, self.request)))
        if len(data) > LIMIT:
            raise Malformed("too large")
        return data


def due(data: bytes) -> tuple[float, bool]:
    """(when the session in a message has to go on even if its client is silent; whether it ends with its caller).  Raises Malformed."""
    try:
        deadline, end, watched, *_ = HEAD.unpack_from(data)
    except StructError:
        raise Malformed("cut off") from None
    return min(deadline, end), watched


def parse(data: bytes) -> Parked:
    """The session that a message is.  Raises Malformed."""
    parts = iter((data[HEAD.size:], b""))
    reader = Reader(lambda: next(parts, b""))
    try:
        deadline, end, watched, pid, greeted, known, told = HEAD.unpack_from(data)
        helo, doing, counts, *lines, request = (reader.string(LIMIT) or b"" for _ in range(3 + told + 1))
        numbers = tuple(int(word) for word in counts.split())
    except (StructError, NoNetstring, Ended, ValueError):
        raise Malformed("not a session") from None
    rest = Rest(pid, helo if greeted else None, None if known < 0 else bool(known), tuple(lines), doing.decode(), numbers)
    return Parked(rest, deadline, request, watched=watched, end=None if end == inf else end)
