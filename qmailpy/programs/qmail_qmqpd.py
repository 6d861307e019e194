"""qmail-qmqpd: take one message by QMQP on descriptors 0 and 1.  See qmail-qmqpd(8)."""

from __future__ import annotations

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

PATIENCE = 3600  # seconds for the whole connection


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    connection = Connection(0, 1, PATIENCE)
    try:
        with shielded(), deadline(PATIENCE, too_late):
            connection.say(qmqp_message(Reader(connection.read), client(env), World(here(), env)))
            connection.flush()
    except Gone:
        return OK
    except Malformed:
        return PERMANENT
    except (TooLong, TimedOut, Late, Temporary):
        return TEMPORARY
    return OK
