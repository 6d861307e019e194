"""Maildirs with messages, and the user who reads them: qmail-pop3d does not run as root."""

import os
import pathlib
import shutil
import tempfile
import time

READER = 54321  # nobody's uid on a usual machine


def reader():
    """How subprocess starts a program as somebody who is not root."""
    return {"user": READER, "group": READER, "extra_groups": []} if os.geteuid() == 0 else {}


def hand(path):
    """Give a file or a folder to the reader."""
    if os.geteuid() == 0:
        os.chown(path, READER, READER)


def make(folder):
    """An empty Maildir."""
    folder = pathlib.Path(folder)
    for part in ("", "new", "cur", "tmp"):
        (folder / part).mkdir(mode=0o700)
        hand(folder / part)
    return folder


def put(folder, content, name, part="new", age=1000):
    """A message that came `age` seconds ago; its path."""
    path = folder / part / name
    path.write_bytes(content)
    hand(path)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


class Place:
    """Within its block a folder that every user can reach."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="qmailpy-mail-"))
        self.path.chmod(0o755)
        return self.path

    def __exit__(self, *problem):
        shutil.rmtree(self.path)
