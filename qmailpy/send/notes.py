"""What the sender is to be told: failures added to bounce/N, synced before anybody hears that it is noted."""

from __future__ import annotations

import os

from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.queue.paths import Paths
    from qmailpy.send.syncs import Syncs

    Note = tuple[bytes, Callable[[bool], None]]

FILE_MODE = 0o600


class Notes:
    """Failures on their way into bounce/N; of each message one sync at a time, so that it is known what to cut off when one fails."""

    def __init__(self, paths: Paths, syncs: Syncs) -> None:
        self._paths, self._syncs = paths, syncs
        self._waiting: dict[int, list[Note]] = {}
        self._under_way: dict[int, tuple[list[Note], int]] = {}  # what is being synced, and how long bounce/N was before

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._under_way

    def add(self, number: int, text: bytes, then: Callable[[bool], None]) -> None:
        """Add to the bounce of a message; `then` is called with whether it will last.  If not, nothing of it is there."""
        self._waiting.setdefault(number, []).append((text, then))
        if number not in self._under_way:
            self._write(number)

    def _write(self, number: int) -> None:
        notes = self._waiting.pop(number)
        try:
            begin = append(self._paths.bounce(number), b"".join([text for text, _ in notes]))
        except OSError:
            self._tell(notes, False)
            return
        self._under_way[number] = notes, begin
        paths = [self._paths.bounce(number)]
        if not begin:
            paths.append(self._paths.folder("bounce", number))
        self._syncs.want(paths, self._synced, number)

    def _synced(self, number: int, good: bool) -> None:
        notes, begin = self._under_way.pop(number)
        if not good:
            cut(self._paths.bounce(number), begin)
        self._tell(notes, good)
        if number in self._waiting and number not in self._under_way:
            self._write(number)

    def _tell(self, notes: list[Note], good: bool) -> None:
        for _, then in notes:
            then(good)


def append(path: str, text: bytes) -> int:
    """Add to a file; how long it was before.  Raises OSError, and it is as long as before."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        begin = os.fstat(fd).st_size
        try:
            write_all(fd, text)
        except OSError:
            os.ftruncate(fd, begin)
            raise
        return begin
    finally:
        os.close(fd)


def cut(path: str, size: int) -> None:
    """Make a file as short as it was; if that cannot be, the sender reads something twice."""
    try:
        os.truncate(path, size)
    except OSError:
        pass
