"""Let accidents happen to this checkout: `python3 -m crash [--every N] [KIND ...]`; exit 1 if a promise is broken, 2 if it cannot be run."""

import argparse
import os
import sys
import tempfile

from crash import faults, kills, power
from crash.world import Unusable, World

KINDS = {"kills": kills.run, "power": power.run, "faults": faults.run}
FAST = "/dev/shm"  # noqa: S108 (a folder for temporary files: syncs cost nothing there, and no number is ever used again)


def main(words):
    """Run, print one line of figures for each kind; the exit status."""
    parser = argparse.ArgumentParser(prog="make crash", description="Kills, power cuts and faults at every step of a message's life.")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one of N points, or states, only")
    parser.add_argument("--only", metavar="PROGRAM", help="kill, or disturb, this program only")
    parser.add_argument("--first", action="store_true", help="stop at the first broken promise")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of: {' '.join(KINDS)}; default: all")
    options = parser.parse_args(words)
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"no such kind: {' '.join(sorted(unknown))}")
    broken = False
    with tempfile.TemporaryDirectory(prefix="qmailpy-crash.", dir=FAST if os.access(FAST, os.W_OK) else None) as folder:
        world = World(folder)
        world.prepare()
        for kind in options.kinds or KINDS:
            try:
                figures = KINDS[kind](world, options, lambda text: print(text, flush=True))
            except Unusable as problem:
                print(f"{kind}: {problem}", file=sys.stderr)
                return 2
            print(f"{kind}: " + ", ".join(f"{word} {count}" for word, count in figures.items()), flush=True)
            broken = broken or not next(iter(figures.values())) or any(list(figures.values())[1:])
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
