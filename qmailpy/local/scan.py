"""Reading a Maildir: its messages, oldest first, and what deliveries have left behind (maildir(5))."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEFT_BEHIND = 129600  # seconds: what nobody has read for so long in tmp/ belongs to no living delivery


def messages(base: bytes, now: float, folders: Iterable[bytes] = (b"new", b"cur")) -> list[tuple[float, bytes, int]]:
    """(date, name below `base`, bytes) of each message, oldest first.  Raises Temporary if a folder cannot be read.

    What has come in this very second is left for the next time, so that the order never changes.
    """
    found = []
    for folder in folders:
        head = folder + b"/"
        try:
            with os.scandir(base + b"/" + folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith(b"."):
                        continue
                    try:
                        status = entry.stat()
                    except OSError:
                        continue  # it has gone meanwhile
                    if status.st_mtime < now:
                        found.append((status.st_mtime, head + name, status.st_size))
        except OSError as problem:
            raise Temporary(f"unable to scan $MAILDIR/{os.fsdecode(folder)}: {wording(problem.errno)}") from None
    found.sort()
    return found


def clean(base: bytes, now: float) -> None:
    """Remove what is left in tmp/; where that cannot be done, it does not matter."""
    try:
        with os.scandir(base + b"/tmp") as entries:
            for entry in entries:
                if not entry.name.startswith(b"."):
                    remove_old(entry, now)
    except OSError:
        return  # there is no such folder


def remove_old(entry: os.DirEntry[bytes], now: float) -> None:
    """Remove a file of tmp/ if it is old enough."""
    try:
        if entry.stat().st_atime + LEFT_BEHIND < now:
            os.unlink(entry.path)
    except OSError:
        pass  # somebody else has removed it, or it is not ours


def unique(name: bytes) -> bytes:
    """What stays of a message's name when flags are added: the file's name up to its first colon."""
    return name[4:].partition(b":")[0]


def maildir(env: Mapping[str, str]) -> bytes:
    """The Maildir that the variable MAILDIR names.  Raises Temporary."""
    if "MAILDIR" not in env:
        raise Temporary("MAILDIR not set")
    try:
        os.close(os.open(env["MAILDIR"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as problem:
        raise Temporary(f"unable to chdir to {env['MAILDIR']}: {wording(problem.errno)}") from None
    return os.fsencode(env["MAILDIR"])
