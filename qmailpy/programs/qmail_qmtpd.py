"""qmail-qmtpd: take mail by QMTP on descriptors 0 and 1.  See qmail-qmtpd(8).

A client that breaks the protocol is not told so: QMTP has no reply for that, and the connection ends.
"""

from __future__ import annotations

from qmailpy.exits import OK, PERMANENT, TEMPORARY, Temporary
from qmailpy.home import here
from qmailpy.serve.world import World, client, relay
from qmailpy.settings.load import load_for_server
from qmailpy.smtp.qmtp import QmtpServer
from qmailpy.text.netstring import Malformed, Reader, TooLong
from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.fds import TimedOut
from qmailpy.unix.signals import Late, deadline, shielded, too_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

SETTINGS = ("rcpthosts", "databytes", "timeoutqmtpd")


def serve(server: QmtpServer, connection: Connection, seconds: float) -> int:
    """Take messages until the client goes, or so many seconds are over; the exit status."""
    try:
        with deadline(seconds, too_late):
            while True:
                for reply in server.message():
                    connection.say(reply)
    except Gone:
        return OK
    except Malformed:
        return PERMANENT
    except (TooLong, TimedOut, Late, Temporary):
        return TEMPORARY


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    with shielded():
        try:
            home = here()
            values = load_for_server(home, SETTINGS, env)
        except Temporary:
            return TEMPORARY
        patience = max(values.number("timeoutqmtpd"), 1)
        connection = Connection(0, 1, patience)
        return serve(QmtpServer(Reader(connection.read), values, client(env), World(home, env, "qmail-qmtpd"), relay(env)), connection, patience)
