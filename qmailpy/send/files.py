"""A message's files as qmail-send uses them: what is there, who sent it, which recipients are done."""

from __future__ import annotations

import os

from qmailpy.text.envelope import DONE, sender_of
from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import write_all
from qmailpy.unix.files import contents, remove, sync_file, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.queue.paths import Paths

FILE_MODE = 0o600


class Files:
    """The queue folder, by message number.  Every method may raise OSError."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def short(self, kind: str, number: int) -> str:
        """A file's name as the log has it: below the queue folder."""
        return self.paths.name(kind, number)[len(self.paths.queue) + 1:]

    def time(self, kind: str, number: int) -> int | None:
        """The mtime of a file in whole seconds; None if it is not there."""
        try:
            return int(os.stat(self.paths.name(kind, number)).st_mtime)
        except FileNotFoundError:
            return None

    def exists(self, kind: str, number: int) -> bool:
        """Whether a file is there."""
        return self.time(kind, number) is not None

    def in_todo(self, number: int) -> bool:
        """Whether the message is still to be preprocessed, in a flat or a hashed todo."""
        return any(os.path.lexists(name) for name in self.todo_names(number))

    def todo_names(self, number: int) -> tuple[str, str]:
        """Where todo/N may be."""
        queue = self.paths.queue
        return f"{queue}/todo/{number}", f"{queue}/todo/{number % self.paths.split}/{number}"

    def info(self, number: int) -> tuple[bytes, int] | None:
        """(sender, birth) of a message; None if info says something else or is not there."""
        data = contents(self.paths.info(number))
        birth = self.time("info", number)
        sender = None if data is None else sender_of(data)
        return None if sender is None or birth is None else (sender, birth)

    def info_is_whole(self, number: int) -> bool:
        """Whether info has a record with its end; what else it says does not matter."""
        return b"\0" in (contents(self.paths.info(number)) or b"")

    def mark_done(self, channel: int, number: int, position: int) -> None:
        """Mark the recipient whose record begins at `position` as done."""
        fd = os.open(self.paths.name(CHANNELS[channel], number), os.O_WRONLY | os.O_CLOEXEC)
        try:
            if os.pwrite(fd, DONE, position) != 1:
                raise OSError("nothing was written")
        finally:
            os.close(fd)

    def set_time(self, kind: str, number: int, when: int) -> None:
        """Set a file's times."""
        os.utime(self.paths.name(kind, number), (when, when))

    def remove(self, kind: str, number: int) -> bool:
        """Remove a file; False if it was not there."""
        return remove(self.paths.name(kind, number))

    def append_bounce(self, number: int, text: bytes) -> None:
        """Add to bounce/N; it is synced when this returns, as the done mark that follows must not be older."""
        name = self.paths.bounce(number)
        fd = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            begin = os.fstat(fd).st_size
            try:
                write_all(fd, text)
                sync_file(fd)
            except OSError:
                os.ftruncate(fd, begin)
                raise
            if not begin:
                sync_folder(self.paths.folder("bounce", number))
        finally:
            os.close(fd)

    def numbers(self, kind: str) -> Iterator[int]:
        """The numbers of all messages that have a file of this kind, in a flat folder or a split one; other names are nobody's business."""
        yield from _numbers(f"{self.paths.queue}/{kind}")


def _numbers(folder: str, deep: bool = True) -> Iterator[int]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.isascii() or not entry.name.isdigit():
                continue
            if not entry.is_dir(follow_symlinks=False):
                yield int(entry.name)
            elif deep:
                yield from _numbers(entry.path, False)
