"""splogger: send the lines on descriptor 0 to syslog.  See splogger(8)."""

from __future__ import annotations

import os
import syslog
import time

from qmailpy.exits import OK
from qmailpy.settings.kinds import digits
from qmailpy.text.loglines import Entry, LogLines, printable
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

PRIORITIES = {"info": syslog.LOG_INFO, "warning": syslog.LOG_WARNING, "alert": syslog.LOG_ALERT}
FACILITIES = range(128)  # the numbers that syslog has room for


def facility(text: str) -> int:
    """The facility that a number stands for, as syslog wants it; mail for what is none."""
    number = digits(os.fsencode(text))
    return syslog.LOG_MAIL if number is None or number not in FACILITIES else number << 3


def send(entry: Entry) -> None:
    """Hand one entry to syslog."""
    syslog.syslog(PRIORITIES[entry.kind], entry.text)


def stamp() -> str:
    """The time as it stands in entries: seconds and microseconds."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{seconds}.{nanoseconds // 1000:06}"


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    words = argv[1:]
    tag = printable(os.fsencode(words[0])) if words else "splogger"
    syslog.openlog(tag, 0, facility(words[1]) if len(words) > 1 else syslog.LOG_MAIL)
    lines = LogLines(stamp)
    try:
        while data := os.read(0, BLOCK):
            for entry in lines.feed(data):
                send(entry)
    except OSError:
        return OK
    return OK
