"""A queue folder for tests."""

import os
import threading

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


class Restless:
    """While its block runs, messages with the given numbers come into the queue and leave it again, in the order in which daemons do that."""

    def __init__(self, paths, numbers):
        self.paths, self.numbers, self.over, self.rounds = paths, numbers, threading.Event(), 0
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        self.thread.join()

    def work(self):
        while not self.over.is_set():
            for number in self.numbers:
                for kind, content in (("mess", b"m"), ("todo", b"e"), ("local", b"Tmoving@me\0"), ("info", b"Fmoving@x\0")):
                    put(self.paths, number, **{kind: content})
            for number in self.numbers:
                for kind in ("todo", "local", "info", "mess"):
                    os.unlink(self.paths.name(kind, number))
            self.rounds += 1
