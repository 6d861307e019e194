"""qmail-qmqpd: take one message by QMQP on descriptors 0 and 1, for whatever recipients.  See qmail-qmqpd(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, PERMANENT, TEMPORARY, Temporary
from qmailpy.home import here
from qmailpy.serve.world import World, client
from qmailpy.smtp.qmtp import qmqp_message
from qmailpy.text.netstring import Malformed, Reader, TooLong
from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.fds import TimedOut
from qmailpy.unix.signals import Late, deadline, shielded, too_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home
    from qmailpy.text.received import Client

PATIENCE = 3600  # seconds for the whole connection, unless control/timeoutqmtpd says something else


def patience(home: Home) -> int:
    """Seconds for the whole connection.  Raises Temporary."""
    if not os.path.lexists(home.at("control", "timeoutqmtpd")):
        return PATIENCE  # with nothing more to import
    from qmailpy.settings.alone import number

    return max(number(home, "timeoutqmtpd"), 1)


def serve(connection: Connection, who: Client, world: World, seconds: float) -> int:
    """Take a message and tell what became of it, in so many seconds; the exit status."""
    try:
        with deadline(seconds, too_late):
            connection.say(qmqp_message(Reader(connection.read), who, world))
            connection.flush()
    except Gone:
        return OK
    except Malformed:
        return PERMANENT
    except (TooLong, TimedOut, Late, Temporary):
        return TEMPORARY
    return OK


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    with shielded():
        try:
            home = here()
            seconds = patience(home)
        except Temporary:
            return TEMPORARY
        return serve(Connection(0, 1, seconds), client(env), World(home, env, "qmail-qmqpd"), seconds)
