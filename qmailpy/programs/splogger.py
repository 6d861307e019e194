"""splogger: send the lines on descriptor 0 to syslog.  See splogger(8)."""

from __future__ import annotations

import os
import syslog
import time

from qmailpy.exits import OK
from qmailpy.settings.kinds import digits
from qmailpy.text.loglines import Entry, LogLines
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

PRIORITIES = {"info": syslog.LOG_INFO, "warning": syslog.LOG_WARNING, "alert": syslog.LOG_ALERT}


def send(entry: Entry) -> None:
    """Hand one entry to syslog."""
    syslog.syslog(PRIORITIES[entry.kind], entry.text)


def stamp() -> str:
    """The time as it stands in entries: seconds and microseconds."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{seconds}.{nanoseconds // 1000:06}"


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    facility = (digits(os.fsencode(argv[2])) or 0) << 3 if len(argv) > 2 else syslog.LOG_MAIL  # noqa: PLR2004
    syslog.openlog(argv[1] if len(argv) > 1 else "splogger", 0, facility)
    lines = LogLines(stamp)
    try:
        while data := os.read(0, BLOCK):
            for entry in lines.feed(data):
                send(entry)
    except OSError:
        return OK
    return OK
