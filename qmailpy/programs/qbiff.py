"""qbiff: from a .qmail file, tell a user who is logged in of new mail.  See qbiff(1)."""

from __future__ import annotations

import os
import stat

from qmailpy.exits import OK, Trouble
from qmailpy.text.header import name
from qmailpy.text.summary import beginning, printable, value
from qmailpy.text.utmp import lines_of
from qmailpy.unix.fds import close_quietly, write_all
from qmailpy.unix.files import contents
from qmailpy.unix.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

UTMP = "/var/run/utmp"
NEEDED = ("USER", "SENDER", "LOCAL")
WIDTH = 74  # bytes of subject and text
EXECUTABLE = 0o100  # of a terminal's mode: its user wants to be told (biff)


def notice(address: bytes, sender: bytes) -> bytes:
    """What is shown for the message on descriptor 0.  Raises Trouble if it cannot be read."""
    message = Message(0)
    subject = b"".join(value(field) + b"\n" for field in message.fields() if name(field) == b"subject")
    head = printable(b"*** TO <%s> FROM <%s>" % (address, sender), b"_")
    return b"\r\n\x07" + head + b"\r\n    " + beginning(subject, message.body(), WIDTH) + b"\r\n"


def tell(line: bytes, text: bytes) -> None:
    """Write to a terminal, if it is our user's and he wants it."""
    if not line or line.startswith(b"/") or b"." in line:
        return
    try:
        fd = os.open(b"/dev/" + line, os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        found = os.fstat(fd)
        if stat.S_ISCHR(found.st_mode) and found.st_mode & EXECUTABLE and found.st_uid == os.getuid():
            write_all(fd, text)
    except OSError:
        pass
    finally:
        close_quietly(fd)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    """Whatever goes wrong, mail is delivered all the same."""
    if any(variable not in env for variable in NEEDED):
        return OK
    user, address, sender = (os.fsencode(env[variable]) for variable in ("USER", "LOCAL", "SENDER"))
    try:
        lines = set(lines_of(user, contents(UTMP) or b""))
        if lines:
            text = notice(address, sender)
            for line in lines:
                tell(line, text)
    except (OSError, Trouble):
        pass
    return OK
