"""qmail-getpw: whose is this local part?  Six NUL-ended fields on descriptor 1.  See qmail-getpw(8)."""

from __future__ import annotations

import os
import pwd

from qmailpy.exits import OK, PERMANENT, is_temporary
from qmailpy.home import here
from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from qmailpy.home import Home

NFS, NO_ALIAS = 115, 116  # as qmail-lspawn understands them
NAME_LIMIT = 32  # bytes; no user name is longer


class HomeTrouble(Exception):
    """A user's home folder cannot be looked at now."""


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


def find(local: bytes, home: Home) -> list[bytes] | None:
    """The six fields; None if there is no such user and no alias user."""
    for name, dash, extension in splits(local, os.fsencode(home.breaks)):
        if len(name) < NAME_LIMIT and (entry := user(name)):
            return fields(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, dash, extension)
    if home.single:
        return fields("alias", os.geteuid(), os.getegid(), home.at("alias"), b"-", local)
    try:
        entry = pwd.getpwnam(home.name("alias"))
    except KeyError:
        return None
    return fields(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, b"-", local)


def fields(name: str, uid: int, gid: int, folder: str, dash: bytes, extension: bytes) -> list[bytes]:
    """The fields in their order."""
    return [os.fsencode(name), b"%d" % uid, b"%d" % gid, os.fsencode(folder), dash, extension]


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) < 2:
        return PERMANENT
    try:
        found = find(os.fsencode(argv[1]), here())
    except HomeTrouble:
        return NFS
    if found is None:
        return NO_ALIAS
    write_all(1, b"".join(field + b"\0" for field in found))
    return OK
