"""A message's files as qmail-send uses them: what is there, who sent it, which recipients are done."""

from __future__ import annotations

import os

from qmailpy.text.envelope import DONE, sender_of
from qmailpy.text.route import CHANNELS
from qmailpy.unix.files import contents, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.queue.paths import Paths


class Files:
    """The queue folder, by message number.  Every method may raise OSError."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def short(self, kind: str, number: int) -> str:
        """A file's name as the log has it: below the queue folder."""
        return self.paths.short(self.paths.name(kind, number))

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
        """Where todo/N may be; first where it is most likely."""
        queue = self.paths.queue
        flat, hashed = f"{queue}/todo/{number}", f"{queue}/todo/{number % self.paths.split}/{number}"
        return (hashed, flat) if self.paths.big_todo else (flat, hashed)

    def info(self, number: int) -> tuple[bytes, int] | None:
        """(sender, birth) of a message; None if info says something else or is not there."""
        data = contents(self.paths.info(number))
        birth = self.time("info", number)
        sender = None if data is None else sender_of(data)
        return None if sender is None or birth is None else (sender, birth)

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
