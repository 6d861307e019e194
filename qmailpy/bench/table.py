"""Tables as lines of text, and as values for other programs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from qmailpy.bench.measure import Table


def digits(value: float) -> str:
    """A figure with three digits or more."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def lines(table: Table) -> Iterator[str]:
    """A table for people."""
    width = max((len(one.name) for one in table.contenders), default=0)
    yield f"{table.title}: {table.about}"
    yield f"  {'':<{width}} {table.unit:>12}   {'lowest to highest':<20} ratio ({'more' if table.more else 'less'} is better)"
    for row in table.rows():
        yield f"  {row.name:<{width}} {digits(row.median):>12}   {f'{digits(row.low)} to {digits(row.high)}':<20} {row.ratio:.2f}"
    for name, trouble in table.troubles():
        yield f"  {name:<{width}} not measured: {trouble}"
    yield ""


def value(table: Table) -> dict[str, Any]:
    """A table for programs: every figure of every round."""
    ratios = {row.name: row for row in table.rows()}
    return {"figure": table.figure, "place": table.place, "about": table.about, "unit": table.unit, "better": "more" if table.more else "less",
            "contenders": [{"name": one.name, "values": one.values, "median": ratios[one.name].median, "ratio": ratios[one.name].ratio}
                           for one in table.contenders if one.name in ratios],
            "not measured": dict(table.troubles())}
