"""qmail-qstat: count the messages in the queue.  See qmail-qstat(8)."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import OK, Temporary
from qmailpy.home import here
from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def count(folder: str) -> int:
    """The files in a folder and in the folders in it.  Raises Temporary if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sum(count(entry.path) if entry.is_dir(follow_symlinks=False) else 1 for entry in entries)
    except OSError as problem:
        raise Temporary(f"unable to read {folder}: {wording(problem.errno)}") from None


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    messages, waiting = count(home.at("queue", "mess")), count(home.at("queue", "todo"))
    write_all(1, b"messages in queue: %d\nmessages in queue but not yet preprocessed: %d\n" % (messages, waiting))
    return OK
