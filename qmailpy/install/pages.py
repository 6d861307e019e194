"""Puts the tables of settings and variables into the manual pages: `python3 -m qmailpy.install.pages [--check]`.

What stands between `.\\" settings: PROGRAM`, or `.\\" variables: PROGRAM`, and `.\\" end` is made from settings/table.py; PROGRAM may
be `all` for the overview.  With --check nothing is written, and the exit status is 1 if a page differs.
"""

from __future__ import annotations

import os
import sys

from qmailpy.settings.show import all_variables, entries, overview, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

END = '.\\" end'
TABLES = {'.\\" settings:': (overview, entries), '.\\" variables:': (all_variables, variables)}  # how one begins: (for all, for one program)
FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "man")


class BadPage(Exception):
    """A page whose markers make no sense."""


def filled(text: str, name: str = "page") -> str:
    """A page's text with its tables as they should be.  Raises BadPage."""
    lines: list[str] = []
    begun = ""  # the line that the table we are in begins with
    for line in text.split("\n"):
        if begun and line == END:
            lines += [*table(begun, name), line]
            begun = ""
        elif line.startswith(tuple(TABLES)):
            if begun:
                raise BadPage(f"{name}: a table begins within the table {begun}")
            begun = line
            lines.append(line)
        elif not begun:
            lines.append(line)
    if begun:
        raise BadPage(f"{name}: the table {begun} has no end")
    return "\n".join(lines)


def table(begun: str, name: str) -> list[str]:
    """The lines of the table that begins with such a line."""
    kind, _, program = begun.rpartition(" ")
    try:
        for_all, for_one = TABLES[kind]
        return for_all() if program == "all" else for_one(program)
    except KeyError:
        raise BadPage(f"{name}: there is nothing for {program} in a table {begun}") from None


def differing(folder: str) -> Iterator[tuple[str, str]]:
    """(path, text as it should be) of each page that is not as it should be."""
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as page:
            text = page.read()
        new = filled(text, name)
        if new != text:
            yield path, new


def main(words: list[str], folder: str = FOLDER) -> int:
    """Write, or check, all pages of a folder."""
    if words not in ([], ["--check"]):
        print("usage: python3 -m qmailpy.install.pages [--check]", file=sys.stderr)
        return 100
    status = 0
    try:
        for path, text in differing(folder):
            if words:
                print(f"{path}: the tables of settings are not up to date: make pages", file=sys.stderr)
                status = 1
                continue
            with open(path, "w", encoding="utf-8") as page:
                page.write(text)
    except BadPage as problem:
        print(problem, file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
