"""Rounds, medians, ratios: what makes the figures of a noisy machine comparable.

Each round measures every contender of a table once, one after the other; only figures of one run are compared.
"""

from __future__ import annotations

from statistics import median

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOAL = 1.0  # seconds that one measurement of a rate should take
FEWEST, MOST = 16, 2000  # pieces of work in it


class Failed(Exception):
    """A contender cannot be measured; the text says why."""


class Contender:
    """One of those that a table compares.

    measure  does the work once and returns the figure; raises Failed, OSError
    values   the figures by round
    trouble  why it was given up, or ""
    """

    __slots__ = ("name", "measure", "values", "trouble")

    def __init__(self, name: str, measure: Callable[[], float]) -> None:
        self.name, self.measure = name, measure
        self.values: list[float] = []
        self.trouble = ""

    def take(self) -> float | None:
        """Measure it once; None if it has been given up, now or before."""
        if self.trouble:
            return None
        try:
            return self.measure()
        except (Failed, OSError) as problem:
            self.trouble = str(problem)
            return None


class Row:
    """What became of one contender: median, lowest and highest figure, and the ratio of its median to the first contender's."""

    __slots__ = ("name", "median", "low", "high", "ratio")

    def __init__(self, name: str, values: list[float], base: float) -> None:
        self.name, self.median, self.low, self.high = name, median(values), min(values), max(values)
        self.ratio = self.median / base if base else 0.0


class Table:
    """What is measured, and who takes part.

    figure   its name on the command line
    place    "disk" or "memory", where it makes a difference; else ""
    about    what is measured, in words
    unit     of the figures, such as "messages/s"
    more     whether more is better
    """

    def __init__(self, figure: str, place: str, about: str, unit: str, contenders: list[Contender], *, more: bool) -> None:
        self.figure, self.place, self.about, self.unit, self.contenders, self.more = figure, place, about, unit, contenders, more

    @property
    def title(self) -> str:
        """A short heading."""
        return f"{self.figure}, {self.place}" if self.place else self.figure

    def rows(self) -> Iterator[Row]:
        """The contenders that were measured, in their order; ratios are to the first of them."""
        measured = [one for one in self.contenders if one.values and not one.trouble]
        for one in measured:
            yield Row(one.name, one.values, median(measured[0].values))

    def troubles(self) -> Iterator[tuple[str, str]]:
        """(contender, why) of those that could not be measured."""
        return ((one.name, one.trouble) for one in self.contenders if one.trouble)


def run(table: Table, rounds: int, tell: Callable[[str], None], *, warm_up: bool = True) -> None:
    """Measure every contender once for nothing, then all of them in turn, round by round; `tell` hears what is being done."""
    for number in range(0 if warm_up else 1, rounds + 1):
        for one in table.contenders:
            tell(f"{table.title}: {f'round {number} of {rounds}' if number else 'warming up'}: {one.name}")
            value = one.take()
            if number and value is not None:
                one.values.append(value)


class Rate:
    """Measures how much work is done in a second, with so much of it that a measurement takes about GOAL seconds.

    work  does so many pieces of work, and returns the seconds it took
    """

    def __init__(self, work: Callable[[int], float]) -> None:
        self._work, self._count = work, FEWEST

    def __call__(self) -> float:
        """Pieces of work in a second.  Raises Failed."""
        rate = self._count / self._work(self._count)
        self._count = max(FEWEST, min(MOST, round(rate * GOAL)))
        return rate
