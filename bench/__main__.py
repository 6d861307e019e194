"""Measure this checkout: `python3 -m bench [--rounds N] [--json FILE] [FIGURE ...]`."""

import argparse
import json
import sys

from bench import start
from bench.homes import BenchHome

FIGURES = {"start": start.figure}


def main(words):
    """Measure, print a table for each figure; the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure this suite; all figures of one run are comparable, those of two runs are not.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender is measured (5)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there, too")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of: {' '.join(FIGURES)}; default: all")
    options = parser.parse_args(words)
    if unknown := set(options.figures) - set(FIGURES):
        parser.error(f"no such figure: {' '.join(sorted(unknown))}")
    home = BenchHome()
    try:
        measured = []
        for name in options.figures or FIGURES:
            figure = FIGURES[name](home)
            figure.measure(options.rounds)
            print("\n".join(figure.table()), flush=True)
            measured.append(figure.as_json())
    finally:
        home.close()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(measured, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
