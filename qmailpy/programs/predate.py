"""predate: run a program on its input with a Date field before it.  See predate(1)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import TEMPORARY, Usage
from qmailpy.text.date import rfc822
from qmailpy.unix.feed import feed, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


def offset_at(now: int, env: Mapping[str, str]) -> int:
    """Seconds that local time, as `env` has it, is ahead of UTC."""
    for name in ("TZ", "TZDIR"):  # an installed program's interpreter starts without them
        if name in env:
            os.environ[name] = env[name]
        else:
            os.environ.pop(name, None)
    time.tzset()
    return time.localtime(now).tm_gmtoff


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        raise Usage("predate child")
    now = int(time.time())
    return feed(argv[1:], env, b"Date: " + rfc822(now, offset_at(now, env)) + b"\n", telling("predate", argv[1], TEMPORARY))
