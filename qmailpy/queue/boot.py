"""lock/boot: during which run of the kernel a qmail-send was last at work, and how its clock stood at first (INTERNALS: The queue).

One line: the kernel's boot id, and the clock minus the seconds since the host was started. qmail-send writes it, and reads it when it starts:
what is in files that nobody has synced can be believed only if the host has not been started again since.
"""

from __future__ import annotations

import os
import time

from qmailpy.unix.fds import write_all
from qmailpy.unix.files import contents

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Boot:
    """lock/boot, and this run of the kernel.  No method raises: a file that cannot be read is of another boot.

    same   whether the file is of this run of the kernel
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._id = _words(BOOT_ID)[:1]
        found = _words(path)
        self.same = bool(self._id) and found[:1] == self._id and len(found) == 2
        self._offset = _number(found[1]) if self.same else _offset()

    def keep(self) -> bool:
        """Write the file, unless it is of this run already; whether it can be relied on."""
        if self.same:
            return True
        if not self._id:
            return False
        line = b"%s %d\n" % (self._id[0], self._offset)
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.ftruncate(fd, 0)
                write_all(fd, line)
            finally:
                os.close(fd)
        except OSError:
            return False
        self.same = True
        return True

    @property
    def ahead(self) -> int:
        """How many seconds the clock was set forward since the file was written: so much younger than it looks may any file be."""
        return max(_offset() - self._offset, 0)


def _offset() -> int:
    return int(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))


def _words(path: str) -> list[bytes]:
    try:
        return (contents(path) or b"").split()
    except OSError:
        return []


def _number(word: bytes) -> int:
    return int(word) if word.lstrip(b"-").isdigit() else _offset()
