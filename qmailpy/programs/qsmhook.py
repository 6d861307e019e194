"""qsmhook: from a .qmail file, run a delivery program with arguments in the style of sendmail's mailers.  See qsmhook(8)."""

from __future__ import annotations

import os

from qmailpy.exits import PERMANENT, Permanent, Temporary, complain
from qmailpy.text.options import Options
from qmailpy.unix.feed import code_of, feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

NEEDED = ("DTLINE", "RPLINE", "UFLINE", "LOCAL", "HOST", "SENDER")


def filled(word: str, values: dict[str, str]) -> str:
    """An argument with each %g, %h, %u and %% replaced; any other letter behind % vanishes with it."""
    first, *others = word.replace("%%", "\0").split("%")
    return (first + "".join(values.get(part[:1], "") + part[1:] for part in others)).replace("\0", "%")


def unrunnable(problem: OSError) -> int:
    """What is said of a program that cannot be run."""
    code = code_of(problem)
    complain("qsmhook: fatal: command not found" if code == PERMANENT else "qsmhook: fatal: temporary problem")
    return code


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if any(name not in env for name in NEEDED):
        raise Permanent("incorrect usage")
    recipient, lines = env["LOCAL"], {"UFLINE": True, "RPLINE": False, "DTLINE": False}
    options = Options(argv, "DFlMmnPsx:")
    for letter, value in options:
        if letter == "?":
            complain(f"qsmhook: {value}")
            return PERMANENT
        if letter in "nPl":
            lines[{"n": "UFLINE", "P": "RPLINE", "l": "DTLINE"}[letter]] = letter != "n"
        elif letter == "x" and recipient.lower().startswith(value.lower()):
            recipient = recipient[len(value):]
    if not options.rest:
        raise Permanent("incorrect usage")
    values = {"g": env["SENDER"], "h": env["HOST"], "u": recipient}
    head = b"".join(os.fsencode(env[name]) for name, wanted in lines.items() if wanted)
    try:
        return feed([filled(word, values) for word in options.rest], env, head, unrunnable)
    except Temporary as problem:
        raise Temporary("unable to read message" if "input" in problem.text else "temporary problem") from problem
