"""mailsubj: send what is on descriptor 0 with a subject.  See mailsubj(1)."""

from __future__ import annotations

import os

from qmailpy.exits import TEMPORARY, Usage
from qmailpy.home import here
from qmailpy.text.rewrite import one_line
from qmailpy.unix.feed import feed, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        raise Usage("mailsubj subject recip ...")
    subject, *recipients = [one_line(os.fsencode(word)) for word in argv[1:]]
    inject = here().at("bin", "qmail-inject")
    return feed([inject], env, b"Subject: %s\nTo: %s\n\n" % (subject, b" ".join(recipients)), telling("mailsubj", inject, TEMPORARY))
