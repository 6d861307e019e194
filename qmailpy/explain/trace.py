"""Settings that note who asks: which control files a decision has looked at, and which of their lines fitted."""

from __future__ import annotations

from qmailpy.settings.kinds import numbered
from qmailpy.settings.table import SETTINGS
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.home import Home
    from qmailpy.settings.load import Values


class Hit:
    """A line of a control file that fitted: the setting, the line's number, counted from 1, and its text; 0: it comes from elsewhere."""

    __slots__ = ("name", "number", "text")

    def __init__(self, name: str, number: int, text: bytes) -> None:
        self.name, self.number, self.text = name, number, text


class TracedNames(frozenset[bytes]):
    """A list of names that tells which of them were found in it."""

    found: Callable[[bytes], None]

    def __contains__(self, name: object) -> bool:
        if not super().__contains__(name):
            return False
        assert isinstance(name, bytes)
        self.found(name)
        return True


class TracedMap(dict[bytes, bytes]):
    """A map that tells which of its keys were asked for and there."""

    found: Callable[[bytes], None]

    def __contains__(self, key: object) -> bool:
        if not super().__contains__(key):
            return False
        assert isinstance(key, bytes)
        self.found(key)
        return True

    def get(self, key: bytes, default: bytes | None = None) -> bytes | None:  # type: ignore[override]  # nobody asks for another default
        return super().get(key, default) if key in self else default


class Trace:
    """The values of the settings (smtp/facts.py says what they are), and what was asked of them since `begin`.

    asked  the settings, in the order in which they were asked for
    hits   the lines that fitted
    """

    def __init__(self, home: Home, values: Values) -> None:
        self.home, self.values = home, values
        self.asked: list[str] = []
        self.hits: list[Hit] = []

    def begin(self) -> None:
        """Forget what was noted."""
        self.asked, self.hits = [], []

    def note(self, name: str) -> str:
        """A setting is asked for."""
        if name not in self.asked:
            self.asked.append(name)
        return name

    def line(self, name: str) -> bytes:
        return self.values.line(self.note(name))

    def known(self, name: str) -> bool:
        return self.values.known(self.note(name))

    def number(self, name: str) -> int:
        return self.values.number(self.note(name))

    def flag(self, name: str) -> bool:
        return self.values.flag(self.note(name))

    def list(self, name: str) -> list[bytes] | None:
        return self.values.list(self.note(name))

    def names(self, name: str) -> frozenset[bytes] | None:
        found = self.values.names(self.note(name))
        if found is None:
            return None
        traced = TracedNames(found)
        traced.found = lambda key: self.hit(name, lambda row: row.lower() == key)
        return traced

    def map(self, name: str) -> dict[bytes, bytes] | None:
        found = self.values.map(self.note(name))
        if found is None:
            return None
        traced = TracedMap(found)
        traced.found = lambda key: self.hit(name, lambda row: b":" in row and row.partition(b":")[0].lower() == key)
        return traced

    def hit(self, name: str, fits: Callable[[bytes], bool]) -> None:
        """Note the line of a control file that fits; of several, the last counts."""
        try:
            data = contents(self.home.at("control", name)) or b""
        except OSError:
            data = b""
        number, text = next(((number, row) for number, row in reversed(list(numbered(data))) if fits(row)), (0, b""))
        if all((old.name, old.number) != (name, number) for old in self.hits):
            self.hits.append(Hit(name, number, SETTINGS[name].kind.public(text)))
