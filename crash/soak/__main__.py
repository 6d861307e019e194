"""Load with murder: `python3 -m crash.soak --home DIR [...]`; exit 1 if a promise is broken, 2 if it cannot be run."""

import argparse
import os
import signal
import sys

from crash.soak.place import Unusable
from crash.soak.run import Soak
from crash.soak.verdict import Verdict
from qmailpy.home import parse


def arguments(words):
    """The command line."""
    parser = argparse.ArgumentParser(prog="make soak", description="A whole home under load, whose processes are killed in turn.")
    parser.add_argument("--home", required=True, metavar="DIR", help="an installed home of one user, of which nothing is kept but the programs")
    parser.add_argument("--seconds", type=float, default=300, metavar="N", help="how long it takes; for the queue to become empty there is more")
    parser.add_argument("--sessions", type=int, default=500, metavar="N", help="SMTP sessions at a time")
    parser.add_argument("--messages", type=int, default=20000, metavar="N", help="letters to send")
    parser.add_argument("--seed", type=int, metavar="N", help="decides on letters and kills")
    parser.add_argument("--every", type=float, default=3, metavar="SECONDS", help="between two kills")
    parser.add_argument("--workers", type=int, metavar="N", help="control/poolservers; default: one for each session")
    return parser.parse_args(words)


def home_of(path):
    """The home that is installed there.  Raises Unusable."""
    try:
        with open(f"{path}/lib/qmailpy/current/home.conf", encoding="utf-8") as text:
            return parse(text.read())
    except OSError as problem:
        raise Unusable(f"{path} is no installed home: {problem.strerror}") from problem


def main(words):
    """Run, print how it goes, and one line of figures; the exit status."""
    options = arguments(words)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # not without ending the home's processes
    if options.seed is None:
        options.seed = int.from_bytes(os.urandom(4), "big")
    try:
        soak = Soak(home_of(options.home), options, lambda text: print(text, flush=True))
        verdict = Verdict(soak.run())
    except Unusable as problem:
        print(f"soak: {problem}", file=sys.stderr)
        return 2
    print("\n".join([f"killed: {counts(soak.killer.kills)}", f"not found to be killed: {counts(soak.killer.missed) or 'none'}", *verdict.lines()]))
    sent, kills = len(soak.history.sent), sum(soak.killer.kills.values())
    figures = {"seed": options.seed, "messages": sent, "sessions": soak.most_open, "kills": kills, **verdict.figures(), "unserved": soak.unserved}
    print(f"soak: {counts(figures)}, {sent / soak.took:.0f} messages/s", flush=True)
    return 0 if verdict.kept() else 1


def counts(figures):
    """Words and numbers, for people."""
    return ", ".join(f"{word} {count}" for word, count in figures.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
