"""Whose a local part is: users/cdb says, else the system's users (qmail-users(5), qmail-getpw(8))."""

from __future__ import annotations

import os
import pwd

from qmailpy.exits import Temporary, is_temporary
from qmailpy.text import assign
from qmailpy.unix.cdb import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home

OK, NFS, NO_ALIAS = 0, 115, 116  # exit codes of qmail-getpw, as qmail-lspawn understands them
NAME_LIMIT = 32  # bytes; no user name is longer


class HomeTrouble(Exception):
    """A user's home folder cannot be looked at now."""


def listed(home: Home, local: bytes) -> bytes | None:
    """The fields of users/cdb for a local part; None if it lists none.  Raises Temporary if the table cannot be read or is damaged."""
    table = Reader(home.at("users", "cdb"))
    try:
        return None if table.absent else assign.find(local, table.get)
    except ValueError as problem:
        raise Temporary(f"users/cdb: {problem}") from problem


def unlisted(home: Home, local: bytes) -> assign.Account | None:
    """The account among the system's users; None if there is neither such a user nor the alias user.  Raises HomeTrouble."""
    for name, dash, extension in splits(local, os.fsencode(home.breaks)):
        if len(name) < NAME_LIMIT and (entry := user(name)):
            return account(entry, dash, extension)
    if home.single:
        return assign.Account(b"alias", os.geteuid(), os.getegid(), os.fsencode(home.at("alias")), b"-", local)
    try:
        entry = pwd.getpwnam(home.name("alias"))
    except KeyError:
        return None
    return account(entry, b"-", local)


def answer(home: Home, local: bytes) -> tuple[int, bytes]:
    """What qmail-getpw says of a local part: its exit code and, with 0, the fields."""
    try:
        found = unlisted(home, local)
    except HomeTrouble:
        return NFS, b""
    return (NO_ALIAS, b"") if found is None else (OK, found.fields())


def account(entry: pwd.struct_passwd, dash: bytes, extension: bytes) -> assign.Account:
    """A user's account, for one of the user's addresses."""
    return assign.Account(os.fsencode(entry.pw_name), entry.pw_uid, entry.pw_gid, os.fsencode(entry.pw_dir), dash, extension)


def splits(local: bytes, breaks: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(user, dash, extension) for each way to split, the longest user first."""
    yield local, b"", b""
    for at in range(len(local) - 1, -1, -1):
        if local[at:at + 1] == breaks:
            yield local[:at], b"-", local[at + 1:]


def user(name: bytes) -> pwd.struct_passwd | None:
    """The user of this name, if mail may go to him: not root, and owner of his home folder.  Raises HomeTrouble."""
    try:
        entry = pwd.getpwnam(os.fsdecode(name.lower()))
    except (KeyError, ValueError):
        return None
    if not entry.pw_uid:
        return None
    try:
        owner = os.stat(entry.pw_dir).st_uid
    except OSError as problem:
        if is_temporary(problem.errno):
            raise HomeTrouble from problem
        return None
    return entry if owner == entry.pw_uid else None
