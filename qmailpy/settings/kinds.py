"""How control files are read: lines to values (aio: Control-file primitives; qmail-control(5))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK = b" \t\n"
DIGITS = b"0123456789"


class Bad(ValueError):
    """A line that cannot be understood."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line, self.why = line, why


def digits(text: bytes) -> int | None:
    """The number that the leading decimal digits are; None if there is none."""
    rest = text.lstrip(DIGITS)
    head = text[: len(text) - len(rest)]
    return int(head[:20]) if head else None


def line(data: bytes) -> bytes:
    """The first line without blanks at its end."""
    return data.partition(b"\n")[0].rstrip(BLANK)


def numbered(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, line) for each line that is neither empty nor a comment, without blanks at its end."""
    for number, row in enumerate(data.split(b"\n"), 1):
        row = row.rstrip(BLANK)
        if row and not row.startswith(b"#"):
            yield number, row


def rows(data: bytes) -> list[bytes]:
    """The lines that are neither empty nor comments, without blanks at their end."""
    return [row for _, row in numbered(data)]


def pairs(data: bytes) -> dict[bytes, bytes]:
    """{key in lower case: value} of the lines with a colon; of two lines with one key the last wins."""
    split = (row.partition(b":") for row in rows(data))
    return {key.lower(): value for key, colon, value in split if colon}


class Kind:
    """What a control file holds.  `absent` is its value where there is neither file nor default."""

    name = "line"
    absent: object = None

    @staticmethod
    def parse(data: bytes) -> object:
        """The value, or None for "as if absent".  Raises Bad."""
        raise NotImplementedError

    @staticmethod
    def public(data: bytes) -> bytes:
        """What of a file's content, or of a row of it, anybody may be shown."""
        return data

    @staticmethod
    def from_env(value: bytes) -> object:
        """The value that a variable gives."""
        return value


class Line(Kind):
    """One line of text."""

    parse = staticmethod(line)


class Secret(Line):
    """A line that nobody is shown."""

    name = "secret"

    @staticmethod
    def public(data: bytes) -> bytes:
        return b"" if line(data) else data


class Number(Kind):
    """The digits at the beginning of the first line; a line without digits counts for nothing."""

    name = "number"
    absent = 0

    @staticmethod
    def parse(data: bytes) -> object:
        return digits(line(data))

    @staticmethod
    def from_env(value: bytes) -> object:
        return digits(value) or 0


class Flag(Number):
    """A switch: on if the number is there and not 0 (so an empty file switches nothing on)."""

    name = "flag"
    absent = False

    @staticmethod
    def parse(data: bytes) -> object:
        found = digits(line(data))
        return None if found is None else bool(found)

    @staticmethod
    def from_env(value: bytes) -> object:
        return bool(digits(value))


class List(Kind):
    """One entry a line; an absent file (None) is not the same as an empty one."""

    name = "list"

    @staticmethod
    def parse(data: bytes) -> object:
        return rows(data)

    @staticmethod
    def from_env(value: bytes) -> object:
        return rows(value)


class Names(List):
    """A list of domains or addresses, which compare without case."""

    name = "names"

    @staticmethod
    def parse(data: bytes) -> object:
        return frozenset(row.lower() for row in rows(data))


class Patterns(List):
    """A list of regular expressions (text/patterns.py)."""


class Map(Kind):
    """key:value lines; keys compare without case."""

    name = "map"

    @staticmethod
    def parse(data: bytes) -> object:
        return pairs(data)


class Sizes(Map):
    """address:bytes lines; of a value that begins with digits these count, and one without any never takes its place."""

    @staticmethod
    def parse(data: bytes) -> object:
        found: dict[bytes, bytes] = {}
        for row in rows(data):
            key, colon, value = row.partition(b":")
            size = digits(value)
            if colon and (size is not None or not found.get(key.lower(), b"").isdigit()):
                found[key.lower()] = value if size is None else b"%d" % size
        return found


class Pem(Kind):
    """Keys or certificates.  The value is only whether the file is there: what reads it is the TLS library."""

    name = "pem"

    @staticmethod
    def parse(data: bytes) -> object:
        return True

    @staticmethod
    def public(data: bytes) -> bytes:
        return b"" if b"PRIVATE KEY-----" in data else data


class Routes(Map):
    """A map to relays.  Behind these may stand a user name and a password, which nobody is shown."""

    @staticmethod
    def public(data: bytes) -> bytes:
        return b"\n".join(map(without_login, data.split(b"\n")))


def without_login(row: bytes) -> bytes:
    """A row of smtproutes with a word in the place of what follows the first blank behind its colon, if it has one."""
    if row.startswith(b"#"):
        return row
    key, colon, value = row.rstrip(BLANK).partition(b":")
    if not colon:  # a row that counts for nothing, perhaps a mistake
        key, value = b"", key
    relay = value.replace(b"\t", b" ").partition(b" ")[0]
    return row if relay == value else key + colon + relay + b" (login not shown)"
