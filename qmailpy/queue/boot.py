"""lock/boot: during which run of the kernel a qmail-send was last at work, how its clock stood at first, and what it had done (INTERNALS: The queue).

The first line: the kernel's boot id, and the clock minus the seconds since the host was started. qmail-send writes it, and reads it when it starts:
what is in files that nobody has synced can be believed only if the host has not been started again since.

Behind it are places for one line each, a stamp: of a message all of whose recipients are done, while its todo/N stands. When that has gone the place is
made empty, before the number can become another message's.
"""

from __future__ import annotations

import os
import time

from qmailpy.unix.fds import write_all
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

BOOT_ID = "/proc/sys/kernel/random/boot_id"
PLACE = 80  # bytes of each line: three numbers of 64 bits, blanks, a newline


class Boot:
    """lock/boot, and this run of the kernel.  Only `note` raises: a file that cannot be read is of another boot.

    same   whether the file is of this run of the kernel
    """

    def __init__(self, path: str) -> None:
        self._path, self._fd = path, -1
        self._id = _contents(BOOT_ID).split()[:1]
        content = _contents(path)
        found = content.partition(b"\n")[0].split()
        self.same = bool(self._id) and found[:1] == self._id and len(found) == 2
        self._offset = _number(found[1]) if self.same else _offset()
        stamps = [content[at:at + PLACE].strip(b"\0 \n") for at in range(PLACE, len(content), PLACE)] if self.same else []
        self._places = {stamp: place for place, stamp in enumerate(stamps, 1) if stamp}
        self._free = [place for place, stamp in enumerate(stamps, 1) if not stamp]
        self._next = len(stamps) + 1

    def keep(self) -> bool:
        """Write the file, unless it is of this run already; whether it can be relied on."""
        if self.same:
            return True
        if not self._id:
            return False
        line = b"%s %d" % (self._id[0], self._offset)
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.ftruncate(fd, 0)
                write_all(fd, _line(line))
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

    def note(self, stamp: bytes) -> int:
        """Write down the stamp of a message that is done, for the next qmail-send; the place, which is never 0.  Raises OSError."""
        if not self._free:
            self._free.append(self._next)
            self._next += 1
        self._write(self._free[-1], stamp)
        return self._free.pop()

    def free(self, place: int) -> None:
        """Make a place empty: the message's todo/N has gone."""
        try:
            self._write(place, b"")
        except OSError:
            return  # what it says is of no other message, most probably; it is not used again
        self._free.append(place)

    def _write(self, place: int, stamp: bytes) -> None:
        if self._fd == -1:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        if os.pwrite(self._fd, _line(stamp), place * PLACE) != PLACE:
            raise OSError("it was not written whole")

    def place(self, stamp: bytes) -> int:
        """Where it was written down, when this file was read, that a message is done; 0 if it was not."""
        return self._places.get(stamp, 0)

    def forget_others(self, numbers: Container[int]) -> None:
        """Make the places of all messages empty but those with these numbers."""
        for stamp, place in self._places.items():
            number = stamp.partition(b" ")[0]
            if not number.isdigit() or int(number) not in numbers:
                self.free(place)


def _line(text: bytes) -> bytes:
    return text.ljust(PLACE - 1) + b"\n"


def _offset() -> int:
    return int(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))


def _contents(path: str) -> bytes:
    try:
        return contents(path) or b""
    except OSError:
        return b""


def _number(word: bytes) -> int:
    return int(word) if word.lstrip(b"-").isdigit() else _offset()
