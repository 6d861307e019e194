"""The installed home: where things are, who owns them, and what was fixed when it was installed.

`make setup` writes these facts to `home.conf` beside the package, one "name value..." a line.  In a
checkout that file is absent, and the conf-* files at the checkout's top are read in its place.
"""

from __future__ import annotations

import os

from qmailpy.exits import Temporary
from qmailpy.kept import KEPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ABOVE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # the library that this code is installed in, or the checkout
# The order of conf-users and conf-groups.
USER_ROLES = ("alias", "qmaild", "qmaill", "root", "qmailp", "qmailq", "qmailr", "qmails")
GROUP_ROLES = ("qmail", "nofiles")


class Home:
    """One installed qmail.

    path       the home folder, absolute, without a slash at the end
    split      how many subfolders the split queue folders have (conf-split)
    spawn      the most deliveries that one spawner runs at once (conf-spawn)
    breaks     the character between user and extension (conf-break)
    forbidden  mode bits that ~ and ~/.qmail must not have (conf-patrn)
    big_todo   todo/ and intd/ are split like mess/
    single     everything belongs to, and runs as, one user
    users      {role: (name, uid)} for the roles in USER_ROLES
    groups     {role: (name, gid)} for the roles in GROUP_ROLES
    """

    __slots__ = ("path", "split", "spawn", "breaks", "forbidden", "big_todo", "single", "users", "groups")

    def __init__(self, path: str) -> None:
        self.path = path
        self.split, self.spawn, self.breaks, self.forbidden = 23, 120, "-", 0o002
        self.big_todo = self.single = False
        self.users: dict[str, tuple[str, int]] = {}
        self.groups: dict[str, tuple[str, int]] = {}

    def at(self, *parts: str) -> str:
        """The path of something below the home."""
        return "/".join((self.path, *parts))

    def uid(self, role: str) -> int:
        """The uid of a role, such as "qmailq"; in a single-user home always the caller's own."""
        if self.single or role not in self.users:
            return os.geteuid()
        return self.users[role][1]

    def gid(self, role: str) -> int:
        """The gid of a role, "qmail" or "nofiles"; in a single-user home always the caller's own."""
        if self.single or role not in self.groups:
            return os.getegid()
        return self.groups[role][1]

    def name(self, role: str) -> str:
        """The user name of a role; where nothing else was said, the role's own."""
        return self.users[role][0] if role in self.users else role

    def take(self, line: str) -> None:
        """Take one line of home.conf."""
        word, *rest = line.split()
        if word in ("split", "spawn"):
            setattr(self, word, int(rest[0]))
        elif word == "forbidden":
            self.forbidden = int(rest[0], 8)
        elif word == "break":
            self.breaks = rest[0]
        elif word == "todo":
            self.big_todo = rest[0] == "hashed"
        elif word == "kind":
            self.single = rest[0] == "single"
        elif word == "user":
            self.users[rest[0]] = (rest[1], int(rest[2]))
        elif word == "group":
            self.groups[rest[0]] = (rest[1], int(rest[2]))
        # "home" was taken already; an unknown word is for a newer version of the suite

    def lines(self) -> Iterable[str]:
        """The lines of home.conf that say what this object says."""
        yield f"home {self.path}"
        yield f"kind {'single' if self.single else 'multi'}"
        yield f"split {self.split}"
        yield f"spawn {self.spawn}"
        yield f"break {self.breaks}"
        yield f"forbidden {self.forbidden:03o}"
        yield f"todo {'hashed' if self.big_todo else 'flat'}"
        for role, (name, number) in self.users.items():
            yield f"user {role} {name} {number}"
        for role, (name, number) in self.groups.items():
            yield f"group {role} {name} {number}"


def parse(text: str) -> Home:
    """The home that the text of a home.conf describes.  Raises Temporary where it makes no sense."""
    rows = [line for line in text.split("\n") if line.strip()]
    if not rows or not rows[0].startswith("home /"):
        raise Temporary("home.conf:1: does not begin with the home's path")
    home = Home(rows[0][5:].rstrip("/"))
    for number, row in enumerate(rows[1:], 2):
        try:
            home.take(row)
        except (ValueError, IndexError):
            raise Temporary(f"home.conf:{number}: cannot be understood: {row}") from None
    return home


def here() -> Home:
    """The home that this code is installed in; in a checkout, what its conf-* files say."""
    return KEPT.of(ABOVE + "/home.conf", lambda: read(ABOVE))


def read(above: str) -> Home:
    """The home that a library's home.conf describes; without one, a checkout's.  Raises Temporary."""
    try:
        with open(above + "/home.conf", encoding="utf-8", errors="surrogateescape") as text:
            return parse(text.read())
    except FileNotFoundError:
        return of_checkout(above)
    except OSError as problem:
        raise Temporary(f"unable to read {above}/home.conf: {problem.strerror}") from problem


def of_checkout(top: str) -> Home:
    """The home that a checkout's conf-home, conf-split and so on describe, users apart."""
    home = Home(first_line(top + "/conf-home") or "/var/qmail")
    home.split = int(first_line(top + "/conf-split") or home.split)
    home.spawn = int(first_line(top + "/conf-spawn") or home.spawn)
    home.breaks = first_line(top + "/conf-break") or home.breaks
    home.forbidden = int(first_line(top + "/conf-patrn") or "002", 8)
    home.big_todo = first_line(top + "/conf-bigtodo") == "hashed"
    return home


def first_line(path: str) -> str:
    """The first line of a file, trimmed; "" if there is no such file."""
    try:
        with open(path, encoding="utf-8") as text:
            return text.readline().strip()
    except FileNotFoundError:
        return ""
