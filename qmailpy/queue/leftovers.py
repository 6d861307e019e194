"""What kills and power cuts leave in the queue, and what of it may be removed (INTERNALS: The queue)."""

from __future__ import annotations

import os

from qmailpy.unix.files import contents, remove, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.queue.boot import Boot
    from qmailpy.queue.paths import Paths

OSSIFIED = 129600  # seconds after which a message without envelope has no living qmail-queue, which ends after 86400
OURS = ("local", "remote", "bounce", "info")  # what qmail-send makes of todo, and removes in this order: without info all is over


def is_old(touched: float, now: float, boot: Boot) -> bool:
    """Whether so much time has passed since that nobody can be at work on it; time that only the clock was set forward does not count."""
    return now - boot.ahead > touched + OSSIFIED


def numbers(queue: str, kind: str) -> Iterator[int]:
    """The numbers of all messages that have a file of a kind, in a flat folder or a split one; other names are nobody's business.  Raises OSError."""
    yield from _numbers(f"{queue}/{kind}")


def _numbers(folder: str, deep: bool = True) -> Iterator[int]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.isascii() or not entry.name.isdigit():
                continue
            if not entry.is_dir(follow_symlinks=False):
                yield int(entry.name)
            elif deep:
                yield from _numbers(entry.path, False)


class Survey:
    """Which messages have which files, as it was when qmail-send started.  Raises OSError.

    held  {kind: numbers}
    """

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        # todo and mess last: a message that comes in the meantime is not taken for what was left of one.
        self.held = {kind: set(numbers(paths.queue, kind)) for kind in (*OURS, "todo", "mess")}

    def sweep(self, tell: Callable[[int], None]) -> set[int]:
        """Remove what belongs to no message, `tell` its numbers; the messages that are left and were preprocessed.  It is synced when this returns."""
        held, todo = self.held, self.held["todo"]
        messages = {number for number in held["info"] - todo if number in held["mess"] and self._whole(number)}
        gone = (set().union(*(held[kind] for kind in OURS)) - held["mess"] | held["info"]) - messages - todo
        for number in sorted(gone):
            tell(number)
        self._remove(gone)
        return messages

    def distrust(self) -> None:
        """Remove what was made of messages whose todo/N is there; it is synced when this returns."""
        self._remove(self.held["todo"])

    def _whole(self, number: int) -> bool:
        """Whether info has a record with its end; what else it says does not matter."""
        try:
            return b"\0" in (contents(self.paths.info(number)) or b"")
        except OSError:
            return True  # nobody knows; its delivery will tell

    def _remove(self, some: set[int]) -> None:
        folders = set()
        for kind in OURS:
            for number in self.held[kind] & some:
                remove(self.paths.name(kind, number))
                folders.add(self.paths.folder(kind, number))
        for folder in folders:
            sync_folder(folder)
