"""Constant databases (cdb): lookups that distrust the file, and builds that replace it as a whole.  With pure-cdb, imported when first needed."""

from __future__ import annotations

import io

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary
from qmailpy.unix.files import contents, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = 2048  # bytes: 256 pairs of position and length


class Reader:
    """One database, read whole.  Raises Temporary if it cannot be read or is damaged; a missing file is an empty database."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            data = contents(path)
        except OSError as problem:
            raise Temporary(f"unable to read {path}: {wording(problem.errno)}") from problem
        self.absent = data is None
        self._table = None
        if data is not None:
            if len(data) < HEADER:
                raise self._damaged()
            from cdblib import Reader as Table

            self._table = Table(data)

    def get(self, key: bytes) -> bytes | None:
        """The value of the first record with this key; None if there is none."""
        if self._table is None:
            return None
        try:
            value = self._table.get(key)
        except Exception as problem:  # noqa: BLE001 (the library meets a damaged file with whatever comes first)
            raise self._damaged() from problem
        return None if value is None else bytes(value)

    def _damaged(self) -> Temporary:
        return Temporary(f"{self.path} is damaged")


def lookup(path: str, key: bytes) -> bytes | None:
    """The value of a key; None if it, or the file, is not there.  Raises Temporary as Reader does."""
    return Reader(path).get(key)


def build(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The bytes of a database with these records, in this order."""
    from cdblib import Writer

    out = io.BytesIO()
    with Writer(out) as writer:
        for key, value in records:
            writer.put(key, value)
    return out.getvalue()


def write(path: str, records: Iterable[tuple[bytes, bytes]], mode: int = 0o644) -> None:
    """Replace a database as a whole.  Raises OSError; then the old one is still there."""
    replace(path, build(records), mode)
