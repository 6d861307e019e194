"""A queue folder for tests."""

import os

from qmailpy.queue.paths import Paths


def make(place, *, big_todo=False, split=3):
    """An empty queue below `place`."""
    paths = Paths(str(place), split, big_todo)
    for kind in ("mess", "info", "local", "remote", "intd", "todo", "bounce"):
        for number in range(split):
            os.makedirs(paths.folder(kind, number), exist_ok=True)
    os.makedirs(place / "lock", exist_ok=True)
    os.mkfifo(place / "lock/trigger")
    return paths


def put(paths, number, **files):
    """Write a message's files."""
    for kind, content in files.items():
        with open(paths.name(kind, number), "wb") as out:
            out.write(content)
