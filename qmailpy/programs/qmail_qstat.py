"""qmail-qstat: count the messages in the queue.  See qmail-qstat(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, during
from qmailpy.home import here
from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def count(folder: str) -> int:
    """The files in a folder and in the folders in it; what comes or goes meanwhile may be counted or not.  Raises Temporary if it cannot be read."""
    files, folders = 0, []
    with during(f"unable to read {folder}"), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                files += 1
    return files + sum(map(count, folders))


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    messages, waiting = count(home.at("queue", "mess")), count(home.at("queue", "todo"))
    write_all(1, b"messages in queue: %d\nmessages in queue but not yet preprocessed: %d\n" % (messages, waiting))
    return OK
