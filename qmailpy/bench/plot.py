"""A picture of tables, as SVG, which every browser shows: for each row a bar as long as its median."""

from __future__ import annotations

from html import escape

from qmailpy.bench.table import digits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.bench.measure import Table

WIDTH, LABELS, BARS, LINE = 940, 290, 560, 22  # pixels: the picture, what stands before bars, the longest bar, one line's height
COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#975a16", "#4a5568")


def picture(tables: list[Table]) -> str:
    """All tables below each other, each with a scale of its own."""
    parts: list[str] = []
    top, colours = LINE, Colours()
    for table in tables:
        parts += panel(table, top, colours)
        top += LINE * (len(list(table.rows())) + 2)
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" '
                      'font-family="sans-serif" font-size="13">', f'<rect width="{WIDTH}" height="{top}" fill="white"/>', *parts, "</svg>", ""])


def panel(table: Table, top: int, colours: Colours) -> Iterator[str]:
    """One table: a heading, and a bar for each row."""
    rows = list(table.rows())
    longest = max((row.median for row in rows), default=0) or 1
    yield text(10, top, f"{table.title} ({table.unit}; {'more' if table.more else 'less'} is better)", 'font-weight="bold"')
    for number, row in enumerate(rows, 1):
        y, length = top + number * LINE, row.median / longest * BARS
        yield text(LABELS - 8, y, row.name, 'text-anchor="end"')
        yield f'<rect x="{LABELS}" y="{y - LINE + 9}" width="{length:.1f}" height="{LINE - 6}" fill="{colours.of(row.name)}"/>'
        yield text(int(LABELS + length) + 6, y, digits(row.median))


def text(x: int, y: int, words: str, more: str = "") -> str:
    """Words at a place."""
    return f'<text x="{x}" y="{y}" {more}>{escape(words)}</text>'


class Colours:
    """One colour for each server, whatever is behind its name."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The colour of a row."""
        server = name.split(",")[0].split(":")[0]
        return self._known.setdefault(server, COLOURS[len(self._known) % len(COLOURS)])
