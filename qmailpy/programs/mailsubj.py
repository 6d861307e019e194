"""mailsubj: send what is on descriptor 0 with a subject.  See mailsubj(1)."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import complain
from qmailpy.home import here
from qmailpy.text.rewrite import one_line
from qmailpy.unix.feed import code_of, feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    inject = here().at("bin", "qmail-inject")
    subject, *recipients = [one_line(os.fsencode(word)) for word in argv[1:]] or [b""]

    def unrunnable(problem: OSError) -> int:
        complain(f"mailsubj: fatal: unable to run {inject}: {wording(problem.errno)}")
        return code_of(problem)

    return feed([inject], env, b"Subject: %s\nTo: %s\n\n" % (subject, b" ".join(recipients)), unrunnable)
