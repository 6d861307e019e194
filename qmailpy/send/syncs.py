"""Shared syncs beside the loop: what is wanted while one round is under way goes together with the next."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qmailpy.unix.beside import Beside
    from qmailpy.unix.files import Disk

    Then = Callable[[int, bool], None]
    Wish = tuple[tuple[str, ...], Then, int]


class Syncs:
    """Rounds of syncs of files and folders, one round at a time."""

    def __init__(self, beside: Beside, disk: Disk) -> None:
        self._beside, self._disk = beside, disk
        self._wanted: list[Wish] = []
        self._busy = False

    @property
    def idle(self) -> bool:
        """Whether nothing is wanted or under way."""
        return not self._busy and not self._wanted

    def want(self, paths: Iterable[str], then: Then, number: int) -> None:
        """Have files and folders synced as they are now; then `then` is called with a message's number and whether all could be."""
        self._wanted.append((tuple(paths), then, number))

    def flush(self) -> None:
        """Begin a round with all that is wanted, unless one is under way."""
        if self._busy or not self._wanted:
            return
        self._busy = True
        round_, self._wanted = self._wanted, []
        every = {path for paths, _, _ in round_ for path in paths}
        self._beside.do(lambda: self._disk.sync(every), lambda failed: self._synced(round_, failed))

    def _synced(self, round_: list[Wish], failed: set[str]) -> None:
        self._busy = False
        for paths, then, number in round_:
            then(number, failed.isdisjoint(paths))
