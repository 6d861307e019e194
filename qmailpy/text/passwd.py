"""Accounts of /etc/passwd to lines of users/assign (qmail-pw2u(8), qmail-users(5))."""

from __future__ import annotations

from qmailpy.text.assign import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIELDS = 7  # of a line of passwd
SUBUSER_FIELDS = 4  # of a line of users/subusers, the comment behind the third colon counted
CAPITALS = frozenset(range(0x41, 0x5B))


class Account:
    """A user: names and numbers as they are written."""

    __slots__ = ("user", "uid", "gid", "home")

    def __init__(self, user: bytes, uid: bytes, gid: bytes, home: bytes) -> None:
        self.user, self.uid, self.gid, self.home = user, uid, gid, home

    @property
    def number(self) -> int:
        """The uid: its leading digits; 0 if there is none."""
        return number(self.uid)

    @property
    def has_capitals(self) -> bool:
        """Whether mail cannot reach the user by name: the local parts of addresses are taken in lower case."""
        return not CAPITALS.isdisjoint(self.user)

    def fields(self) -> bytes:
        """What stands behind the address in a line of users/assign."""
        return b":%s:%s:%s:%s:" % (self.user, self.uid, self.gid, self.home)


def account(line: bytes) -> Account | None:
    """The account of a line of passwd; None if it is none."""
    parts = line.split(b":", FIELDS - 1)
    if len(parts) < FIELDS or b"\0" in line:
        return None
    return Account(parts[0], parts[2], parts[3], parts[5])


class Writer:
    """Makes the lines.

    breaks  the byte between user and extension; b"" for none
    slash   extensions are looked for in ~user/.qmail/ (qmail-pw2u -/)
    """

    __slots__ = ("breaks", "dash")

    def __init__(self, breaks: bytes, *, slash: bool = False) -> None:
        self.breaks, self.dash = breaks, b"-/" if slash else b"-"

    def catch_all(self, found: Account) -> bytes:
        """The line for every address that nobody has."""
        return b"+%s%s::\n" % (found.fields(), self.dash)

    def user(self, found: Account, names: bytes) -> Iterator[bytes]:
        """The lines for an account, under names with colons between them."""
        for name in names.split(b":"):
            if name:
                yield b"=%s%s::\n" % (name, found.fields())
                if self.breaks:
                    yield b"+%s%s%s%s::\n" % (name, self.breaks, found.fields(), self.dash)

    def subuser(self, line: bytes, accounts: Mapping[bytes, Account]) -> Iterator[bytes]:
        """The lines for a line of users/subusers; none if it is cut short.  Raises KeyError with the name of an unknown user."""
        parts = line.split(b":", SUBUSER_FIELDS - 1)
        if len(parts) < SUBUSER_FIELDS - 1:
            return
        found = accounts.get(parts[1].lower())
        if found is None:
            raise KeyError(parts[1])
        if len(parts) < SUBUSER_FIELDS:
            return
        yield b"=%s%s%s:%s:\n" % (parts[0], found.fields(), self.dash, parts[2])
        if self.breaks:
            yield b"+%s%s%s%s:%s-:\n" % (parts[0], self.breaks, found.fields(), self.dash, parts[2])
