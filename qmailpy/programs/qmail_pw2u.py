"""qmail-pw2u: make lines of users/assign of the accounts on descriptor 0.  See qmail-pw2u(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, PERMANENT, Temporary
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


class Orders:
    """The options: which accounts count, and how lines are written."""

    def __init__(self, argv: list[str], breaks: str) -> None:
        self.capitals, self.homes = False, "o"
        slash = False
        for letter, value in Options(argv, "/ohHuUc:C"):
            if letter == "?":
                raise ValueError(value)
            if letter == "/":
                slash = True
            elif letter in "uU":
                self.capitals = letter == "u"
            elif letter in "cC":
                breaks = value[:1]
            else:
                self.homes = letter
        self.writer = Writer(os.fsencode(breaks), slash=slash)


class Accounts:
    """The accounts that get mail."""

    def __init__(self, home: Home, orders: Orders) -> None:
        self.home, self.orders = home, orders
        self.included, self.excluded = self.listed("include"), self.listed("exclude")
        self.names = pairs(self.file("mailnames") or b"")
        self.taken: dict[bytes, Account] = {}  # by user in lower case
        self.alias = os.fsencode(home.name("alias"))

    def file(self, name: str) -> bytes | None:
        """The content of a file in users/.  Raises Temporary."""
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
        writer = self.orders.writer
        for row in passwd.split(b"\n"):
            found = account(row)
            if found is None or not self.counts(found):
                continue
            self.taken[found.user.lower()] = found
            if found.user == self.alias:
                yield writer.catch_all(found)
            yield from writer.user(found, self.names.get(found.user.lower(), found.user))
        if self.alias.lower() not in self.taken:
            raise Temporary(f"unable to find {os.fsdecode(self.alias)} user")
        for row in (self.file("subusers") or b"").split(b"\n"):
            try:
                yield from writer.subuser(row, self.taken)
            except KeyError as unknown:
                raise Temporary(f"unable to find {os.fsdecode(unknown.args[0])} user for subuser") from None
        yield self.file("append") or b""
        yield b".\n"


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    try:
        orders = Orders(argv, home.breaks)
    except ValueError:
        return PERMANENT
    try:
        passwd = read_all(0)
    except OSError:
        raise Temporary("unable to read input") from None
    text = b"".join(Accounts(home, orders).lines(passwd))
    try:
        write_all(1, text)
    except OSError:
        raise Temporary("unable to write output") from None
    return OK
