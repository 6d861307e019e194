"""predate: run a program on its input with a Date field before it.  See predate(1)."""

from __future__ import annotations

import os
import time

from qmailpy.errnotext import wording
from qmailpy.exits import TEMPORARY, Usage, complain
from qmailpy.text.date import rfc822
from qmailpy.unix.feed import feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def offset_at(now: int, env: MutableMapping[str, str]) -> int:
    """Seconds that local time is ahead of UTC."""
    if "TZ" in env and os.environ.get("TZ") != env["TZ"]:
        os.environ["TZ"] = env["TZ"]  # an installed program's interpreter starts without it
        time.tzset()
    return time.localtime(now).tm_gmtoff


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        raise Usage("predate child")

    def unrunnable(problem: OSError) -> int:
        complain(f"predate: fatal: unable to run {argv[1]}: {wording(problem.errno)}")
        return TEMPORARY

    now = int(time.time())
    return feed(argv[1:], env, b"Date: " + rfc822(now, offset_at(now, env)) + b"\n", unrunnable)
