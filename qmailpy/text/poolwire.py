"""What a launcher, or another program of ours, and a pool say to each other (INTERNALS: Resident pools; launcher/pool.c has the other side).

A request is one message: fields that are each ended by NUL, in this order

    "qmailpy 1"    the version of these rules
    program        such as qmail-smtpd
    descriptors    the numbers that the passed descriptors are to have, in the order in which they are passed
    flags          w: the work is to end if the connection does; d: behind the others a descriptor of the current folder is passed
    umask
    ignored        signals, as bits
    place          what must be the same as where the pool lives; it is compared, not understood
    limits         of each resource the soft and the hard limit; "-" stands for none
    count          of arguments
    argument ...
    variable ...   NAME=VALUE

Numbers are decimal, with a blank behind each.  The answers are messages of one letter and, behind some, more.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Limit = tuple[int, int]

VERSION = b"qmailpy 1"
FIELDS = 9  # before the arguments
LIMIT = 200 << 10  # bytes of a request
MOST_DESCRIPTORS = 13
HIGHEST = 200  # descriptors of a request have smaller numbers than this
DIGITS, HIGHEST_NUMBER = 20, (1 << 63) - 1
HIDDEN = "QMAILPY_HIDDEN_"
QUEUE_VARIABLES = ("TCPREMOTEIP", "TCPREMOTEINFO", "RELAYCLIENT", "ORIGINIPFIELD")  # what qmail-queue may look at

SERVERS = ("qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd")  # what pools of servers do

# Answers.  TAKEN: the work has begun, or will; behind it the worker's process id.  EXIT: it is over; behind it a byte, the exit status.
# Without TAKEN nothing has happened: BUSY, come back later or do it yourself; COLD, do it yourself.
TAKEN, BUSY, COLD, EXIT = b"T", b"B", b"C", b"X"

NO_LIMIT = -1
ENOUGH = 256 << 20  # bytes of memory: a launcher raises a soft limit that is below
CPU, FSIZE, DATA, STACK, CORE, RSS, NPROC, NOFILE, MEMLOCK, AS = range(10)
RESOURCES = 16
MEMORY = (DATA, STACK, RSS, AS)  # a worker has its own
LENT = (FSIZE, CORE, NOFILE, MEMLOCK)  # a worker takes over the soft limit, and has its own again afterwards


class Malformed(Exception):
    """A request that makes no sense."""


class Limits:
    """The limits of a process: `pairs`, soft and hard, by the system's numbers; `field`, as they stand in a request.  Nobody changes them."""

    __slots__ = ("pairs", "field")

    def __init__(self, pairs: Sequence[Limit], field: bytes = b"") -> None:
        self.pairs = pairs
        self.field = field or b"".join([b"- " if value == NO_LIMIT else b"%d " % value for pair in pairs for value in pair])


class Request:
    """One piece of work; see above.  `directory`: a descriptor of the current folder is passed; `watched`: the work ends with the connection."""

    __slots__ = ("program", "arguments", "variables", "descriptors", "umask", "ignored", "place", "limits", "watched", "directory")

    def __init__(self, program: str, arguments: Sequence[str], variables: Mapping[str, str], descriptors: Sequence[int], place: bytes,
                 limits: Limits, *, umask: int = 0, ignored: int = 0, watched: bool = False, directory: bool = False) -> None:
        self.program, self.arguments, self.variables = program, list(arguments), dict(variables)
        self.descriptors, self.place, self.limits = list(descriptors), place, limits
        self.umask, self.ignored, self.watched, self.directory = umask, ignored, watched, directory

    def wire(self) -> bytes:
        """The message."""
        flags = "w" * self.watched + "d" * self.directory
        fields = [self.program, numbers(self.descriptors), flags, numbers([self.umask]), numbers([self.ignored])]
        rest = [numbers([len(self.arguments)]), *self.arguments, *(f"{name}={value}" for name, value in self.variables.items())]
        return b"\0".join((VERSION, *map(encoded, fields), self.place, self.limits.field, *map(encoded, rest), b""))


def encoded(text: str) -> bytes:
    """Text as it was in a variable or an argument."""
    return text.encode("utf-8", "surrogateescape")


def numbers(values: Iterable[int]) -> str:
    """Numbers with a blank behind each."""
    return "".join([f"{value} " for value in values])


def parse(data: bytes, known: Limits | None = None) -> Request:
    """The request that a message is.  Raises Malformed.

    known  limits that were understood before: from one request to the next they hardly change, and to read them takes longer than all the rest
    """
    fields = data.split(b"\0")
    if len(data) > LIMIT or len(fields) < FIELDS + 1 or fields.pop():
        raise Malformed("cut off, or too long")
    version, program, descriptors, flags, umask, ignored, place, limits, count, *words = fields
    if version != VERSION:
        raise Malformed("another version")
    try:
        (mask,), (bits,), (arguments,) = integers(umask), integers(ignored), integers(count)
        found = integers(descriptors)
        allowed = known if known is not None and known.field == limits else Limits(paired(integers(limits)), limits)
    except ValueError:
        raise Malformed("not a number") from None
    if len(allowed.pairs) != RESOURCES or not 0 <= arguments <= len(words) or not 0 <= mask < 0o1000:
        raise Malformed("numbers that cannot be")
    if len(set(found)) != len(found) or len(found) > MOST_DESCRIPTORS or any(not 0 <= one < HIGHEST for one in found):
        raise Malformed("descriptors that cannot be")
    texts = [word.decode("utf-8", "surrogateescape") for word in words]
    return Request(program.decode("ascii", "replace"), texts[:arguments], variables(texts[arguments:]), found, place, allowed,
                   umask=mask, ignored=bits, watched=b"w" in flags, directory=b"d" in flags)


def integers(field: bytes) -> list[int]:
    """Numbers with a blank behind each; "-" is NO_LIMIT.  Raises ValueError."""
    found = []
    for word in field.split(b" ")[:-1]:
        if word == b"-":
            found.append(NO_LIMIT)
        elif word.isdigit() and len(word) <= DIGITS and (number := int(word)) <= HIGHEST_NUMBER:
            found.append(number)
        else:
            raise ValueError  # not digits, or more than the system can hold
    return found


def paired(values: Sequence[int]) -> list[Limit]:
    """Soft and hard limits, in turn, as pairs.  Raises ValueError where one is missing."""
    return list(zip(values[::2], values[1::2], strict=True))


def variables(entries: Iterable[str]) -> dict[str, str]:
    """The environment as a program that starts would see it: of two entries with one name the first counts; ours for the interpreter are left out."""
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if equals and name and not name.startswith(HIDDEN):
            found.setdefault(name, value)
    return found


def lent(theirs: Sequence[Limit], ours: Sequence[Limit]) -> dict[int, int] | None:
    """The soft limits that a worker has to take over from a caller, {resource: limit}; None if he has limits that it cannot work under.

    Programs that the worker executes get all of the caller's limits.  So none of these may be above what the worker itself may have.
    """
    found: dict[int, int] = {}
    if theirs == ours:  # so it is where nothing was set
        return found
    for resource, (his, mine) in enumerate(zip(theirs, ours, strict=True)):
        if his == mine:
            continue
        if resource not in MEMORY + LENT or above(his[1], mine[1]) or above(his[0], his[1]):
            return None
        if resource in LENT and his[0] != mine[0]:
            found[resource] = his[0]
    return found


def raised(limit: Limit) -> Limit:
    """A limit on memory as a launcher leaves it."""
    soft, hard = limit
    return (hard, hard) if above(ENOUGH, soft) else limit


def above(one: int, other: int) -> bool:
    """Whether a limit lets more happen than another."""
    return other != NO_LIMIT and (one == NO_LIMIT or one > other)
