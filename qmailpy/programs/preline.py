"""preline: from a .qmail file, run a program on the message with UFLINE, RPLINE and DTLINE before it.  See preline(1)."""

from __future__ import annotations

import os

from qmailpy.exits import Usage, complain
from qmailpy.text.options import Options
from qmailpy.unix.feed import feed, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

USAGE = "preline cmd [ arg ... ]"
LINES = {"f": "UFLINE", "r": "RPLINE", "d": "DTLINE"}


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if any(name not in env for name in LINES.values()):
        raise Usage(USAGE)
    wanted = dict.fromkeys(LINES, True)
    options = Options(argv, "frdFRD")
    for letter, value in options:
        if letter == "?":
            complain(f"preline: {value}")
            raise Usage(USAGE)
        wanted[letter.lower()] = letter.isupper()
    if not options.rest:
        raise Usage(USAGE)
    head = b"".join(os.fsencode(env[name]) for letter, name in LINES.items() if wanted[letter])
    return feed(options.rest, env, head, telling("preline", options.rest[0]))
