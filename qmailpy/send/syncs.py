"""Shared syncs beside the loop, and removals before them: what is wanted while one round is under way goes together with the next."""

from __future__ import annotations

from qmailpy.unix.files import remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qmailpy.unix.beside import Beside
    from qmailpy.unix.files import Disk

    Then = Callable[[int, bool], None]
    Kept = Callable[[int, str], None]


class Wish:
    """What is wanted for one message: files that are to go, in this order, then files and folders that are to be synced; see Syncs.want."""

    __slots__ = ("paths", "then", "number", "gone", "kept")

    def __init__(self, paths: tuple[str, ...], then: Then, number: int, gone: tuple[str, ...], kept: Kept | None) -> None:
        self.paths, self.then, self.number, self.gone, self.kept = paths, then, number, gone, kept

    def remove(self) -> str:
        """Remove what is to go; the first file that cannot be, "" if there is none."""
        for path in self.gone:
            try:
                remove(path)
            except OSError:
                return path
        return ""


class Syncs:
    """Rounds of removals and syncs of files and folders, one round at a time."""

    def __init__(self, beside: Beside, disk: Disk) -> None:
        self._beside, self._disk = beside, disk
        self._wanted: list[Wish] = []
        self._busy = False

    @property
    def idle(self) -> bool:
        """Whether nothing is wanted or under way."""
        return not self._busy and not self._wanted

    def want(self, paths: Iterable[str], then: Then, number: int, gone: Iterable[str] = (), kept: Kept | None = None) -> None:
        """Have files and folders synced as they are now; then `then` is called with a message's number and whether all could be.

        gone  files that are removed before, in this order
        kept  is called in the place of `then`, with the number and the path, where one of them could not be removed: nothing is synced then
        """
        self._wanted.append(Wish(tuple(paths), then, number, tuple(gone), kept))

    def flush(self) -> None:
        """Begin a round with all that is wanted, unless one is under way."""
        if self._busy or not self._wanted:
            return
        self._busy = True
        round_, self._wanted = self._wanted, []
        self._beside.do(lambda: self._go_round(round_), lambda found: self._end(round_, *found))

    def _go_round(self, round_: list[Wish]) -> tuple[list[str], set[str]]:
        """(for each wish the file that could not be removed, or ""; what could not be synced).  In a thread."""
        kept = [wish.remove() for wish in round_]
        return kept, self._disk.sync({path for wish, stays in zip(round_, kept, strict=True) if not stays for path in wish.paths})

    def _end(self, round_: list[Wish], kept: list[str], failed: set[str]) -> None:
        self._busy = False
        for wish, stays in zip(round_, kept, strict=True):
            if stays and wish.kept is not None:
                wish.kept(wish.number, stays)
            else:
                wish.then(wish.number, failed.isdisjoint(wish.paths))
