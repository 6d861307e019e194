"""qsmhook: from a .qmail file, run a delivery program with arguments in the style of sendmail's mailers.  See qsmhook(1)."""

from __future__ import annotations

import os

from qmailpy.exits import PERMANENT, Permanent, Temporary, complain
from qmailpy.text.options import Options
from qmailpy.unix.feed import Unreadable, code_of, feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

NEEDED = ("DTLINE", "RPLINE", "UFLINE", "LOCAL", "HOST", "SENDER")
ADDS = {"P": "RPLINE", "l": "DTLINE"}


def filled(word: bytes, values: dict[bytes, bytes]) -> bytes:
    """An argument with each %g, %h, %u and %% replaced; any other letter behind % vanishes with it."""
    parts, rest = [], word
    while rest:
        before, _, rest = rest.partition(b"%")
        parts += [before, values.get(rest[:1], b"")]
        rest = rest[1:]
    return b"".join(parts)


def without(prefix: bytes, recipient: bytes) -> bytes:
    """What follows a prefix, in upper or lower case, of the recipient's local part."""
    return recipient[len(prefix):] if recipient.lower().startswith(prefix.lower()) else recipient


def unrunnable(problem: OSError) -> int:
    """What is said of a program that cannot be run."""
    code = code_of(problem)
    complain("qsmhook: fatal: command not found" if code == PERMANENT else "qsmhook: fatal: temporary problem")
    return code


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if any(name not in env for name in NEEDED):
        raise Permanent("incorrect usage")
    recipient, lines = os.fsencode(env["LOCAL"]), {"UFLINE": True, "RPLINE": False, "DTLINE": False}
    options = Options(argv, "DFlMmnPsx:")
    for letter, value in options:
        if letter == "?":
            complain(f"qsmhook: {value}")
            return PERMANENT
        if letter == "n":
            lines["UFLINE"] = False
        elif letter in ADDS:
            lines[ADDS[letter]] = True
        elif letter == "x":
            recipient = without(os.fsencode(value), recipient)
    if not options.rest:
        raise Permanent("incorrect usage")
    values = {b"%": b"%", b"g": os.fsencode(env["SENDER"]), b"h": os.fsencode(env["HOST"]), b"u": recipient}
    words = [filled(os.fsencode(word), values) for word in options.rest]
    head = b"".join(os.fsencode(env[name]) for name, wanted in lines.items() if wanted)
    try:
        return feed(words, env, head, unrunnable)
    except Unreadable as problem:
        raise Temporary("unable to read message") from problem
    except Temporary as problem:
        raise Temporary("temporary problem") from problem
