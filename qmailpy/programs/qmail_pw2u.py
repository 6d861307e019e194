"""qmail-pw2u: make lines of users/assign of the accounts on descriptor 0.  See qmail-pw2u(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, PERMANENT, Temporary, complain
from qmailpy.home import here
from qmailpy.settings.kinds import pairs, rows
from qmailpy.text.options import Options
from qmailpy.text.passwd import Account, Writer, account
from qmailpy.unix.fds import read_all, write_all
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from qmailpy.home import Home


class WrongOption(Exception):
    """The command line cannot be understood."""


class Orders:
    """The options.

    capitals  accounts with capitals in their names count
    homes     what a home is to be: "o" there, or the account does not count; "h" there, or all stops; "H" not looked at
    writer    writes the lines
    """

    __slots__ = ("capitals", "homes", "writer")

    def __init__(self, argv: list[str], breaks: str) -> None:
        self.capitals, self.homes, slash = False, "o", False
        for letter, value in Options(argv, "/ohHuUc:C"):
            if letter == "?":
                raise WrongOption(value)
            if letter == "/":
                slash = True
            elif letter in "uU":
                self.capitals = letter == "u"
            elif letter in "cC":
                breaks = value
            else:
                self.homes = letter
        self.writer = Writer(os.fsencode(breaks)[:1], slash=slash)


class Accounts:
    """The accounts that get mail.  Raises Temporary if a file in users/ cannot be read."""

    __slots__ = ("home", "orders", "included", "excluded", "names", "taken")

    def __init__(self, home: Home, orders: Orders) -> None:
        self.home, self.orders = home, orders
        self.included, self.excluded = self.listed("include"), self.listed("exclude")
        self.names = pairs(self.file("mailnames") or b"")
        self.taken: dict[bytes, Account] = {}  # by user in lower case

    def file(self, name: str) -> bytes | None:
        """The content of a file in users/, if there is one.  Raises Temporary."""
        try:
            return contents(self.home.at("users", name))
        except OSError as problem:
            raise Temporary("unable to read controls") from problem

    def listed(self, name: str) -> set[bytes] | None:
        """The names in a file in users/, in lower case; None without the file."""
        data = self.file(name)
        return None if data is None else {row.lower() for row in rows(data)}

    def counts(self, found: Account) -> bool:
        """Whether an account gets mail.  Raises Temporary if its home is to be there and is not."""
        name = found.user.lower()
        if not found.number or (found.has_capitals and not self.orders.capitals):
            return False
        if (self.included is not None and name not in self.included) or (self.excluded is not None and name in self.excluded):
            return False
        return self.orders.homes == "H" or self.owns_home(found)

    def owns_home(self, found: Account) -> bool:
        """Whether the home is there and is the user's.  Raises Temporary."""
        try:
            return os.stat(found.home).st_uid == found.number
        except OSError as problem:
            if self.orders.homes == "h" or not isinstance(problem, FileNotFoundError):
                raise Temporary(f"unable to stat {os.fsdecode(found.home)}") from None
            return False

    def lines(self, passwd: bytes) -> Iterator[bytes]:
        """All lines.  Raises Temporary."""
        alias = os.fsencode(self.home.name("alias"))
        caught = False
        for found in filter(None, map(account, passwd.split(b"\n"))):
            if not self.counts(found):
                continue
            self.taken[found.user.lower()] = found
            if found.user == alias:
                caught = True
                yield self.orders.writer.catch_all(found)
            yield from self.orders.writer.user(found, self.names.get(found.user.lower(), found.user))
        if not caught:
            raise Temporary(f"unable to find {os.fsdecode(alias)} user")
        yield from self.subusers()
        yield whole_lines(self.file("append") or b"")
        yield b".\n"

    def subusers(self) -> Iterator[bytes]:
        """The lines of users/subusers.  Raises Temporary."""
        for row in (self.file("subusers") or b"").split(b"\n"):
            try:
                yield from self.orders.writer.subuser(row, self.taken)
            except KeyError as unknown:
                raise Temporary(f"unable to find {os.fsdecode(unknown.args[0])} user for subuser") from None


def whole_lines(data: bytes) -> bytes:
    """Lines, the last with its end, too: what follows is a line of its own."""
    return data if data.endswith(b"\n") or not data else data + b"\n"


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    try:
        orders = Orders(argv, home.breaks)
    except WrongOption as problem:
        complain(f"qmail-pw2u: {problem}")
        return PERMANENT
    accounts = Accounts(home, orders)
    try:
        passwd = read_all(0)
    except OSError:
        raise Temporary("unable to read input") from None
    text = b"".join(accounts.lines(passwd))  # before anything is written: half an assignment file looks like a whole one
    try:
        write_all(1, text)
    except OSError:
        raise Temporary("unable to write output") from None
    return OK
