"""preline: from a .qmail file, run a program on the message with UFLINE, RPLINE and DTLINE before it.  See preline(1)."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import Usage, complain
from qmailpy.text.options import Options
from qmailpy.unix.feed import code_of, feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

USAGE = "preline cmd [ arg ... ]"
LINES = {"f": "UFLINE", "r": "RPLINE", "d": "DTLINE"}


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    wanted = dict.fromkeys(LINES, True)
    options = Options(argv, "frdFRD")
    for letter, _ in options:
        if letter.lower() not in LINES:
            raise Usage(USAGE)
        wanted[letter.lower()] = letter.isupper()
    if not options.rest or any(name not in env for name in LINES.values()):
        raise Usage(USAGE)
    command = options.rest

    def unrunnable(problem: OSError) -> int:
        complain(f"preline: fatal: unable to run {command[0]}: {wording(problem.errno)}")
        return code_of(problem)

    return feed(command, env, b"".join(os.fsencode(env[name]) for letter, name in LINES.items() if wanted[letter]), unrunnable)
