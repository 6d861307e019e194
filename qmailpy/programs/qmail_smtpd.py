"""qmail-smtpd: take mail by SMTP on descriptors 0 and 1.  See qmail-smtpd(8)."""

from __future__ import annotations

import os

from qmailpy.exits import Temporary, bug, complain
from qmailpy.home import here
from qmailpy.serve.world import SmtpWorld, client, relay
from qmailpy.settings.load import load_for_server
from qmailpy.smtp import reply
from qmailpy.smtp.server import Session
from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.fds import TimedOut, may_complain
from qmailpy.unix.signals import shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from qmailpy.home import Home
    from qmailpy.settings.load import Values

SETTINGS = (
    "smtpgreeting", "localiphost", "timeoutsmtpd", "rcpthosts", "badmailfrom", "databytes",
    "greetdelay", "databeforegreet", "helodelay", "mfdelay", "rcptdelay", "tarpitcount", "tarpitdelay", "maxrecipients",
    "badheloext", "badheloint", "badmailfromext", "badmailfromint", "badmailtoext", "badmailtoint", "badrmhostext", "badrmhostint",
    "helodnschkext", "helodnschkint", "antispoofing", "mfcheck", "timeoutmfcheck", "helohost",
    "recipientchkdelay", "signkey", "signkeystale", "nosignhosts", "nosignmydoms", "databytesmf", "databytesrcpt", "clamd", "clamdfailreject", "timeoutclamd",
)
LOST = 1


def settings(home: Home, env: Mapping[str, str]) -> Values:
    """The values of the control files.  Raises Temporary."""
    values = load_for_server(home, SETTINGS, env)
    if not values.known("smtpgreeting"):
        raise Temporary("neither control/smtpgreeting nor control/me is there")
    return values


def talk(session: Session, connection: Connection) -> int:
    """The dialogue, to its end; the exit status.  Raises Gone, TimedOut."""
    connection.say(session.greeting())
    answered = True
    while session.closing is None:
        # A command must be whole in time, however it drips; a message may take longer, as long as it goes on.
        if answered:
            connection.within(None if session.message else connection.timeout)
        answered = connection.say_all(session.feed(connection.read()))
    connection.flush()
    return session.closing


def serve(session: Session, connection: Connection) -> int:
    """The dialogue, and what is said when it breaks off; the exit status."""
    try:
        return talk(session, connection)
    except Gone:
        return LOST
    except TimedOut:
        connection.say(reply.TIMEOUT.wire())
    except Exception as problem:  # noqa: BLE001 (a bug: the client keeps the message, we say where)
        if may_complain():
            complain(f"qmail-smtpd: fatal: while {session.doing}: {bug(problem)}")
        connection.say(reply.BUG.wire())
    finally:
        session.abandon()
    try:
        connection.flush()
    except OSError:
        pass
    return LOST


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    with shielded():
        try:
            home = here()
            values = settings(home, env)
        except Temporary as problem:
            if os.isatty(2):
                complain(f"qmail-smtpd: fatal: {problem.text}")
            os.write(1, reply.NO_CONTROLS.wire())
            return LOST
        connection = Connection(0, 1, max(values.number("timeoutsmtpd"), 1))
        return serve(Session(values, client(env), SmtpWorld(home, env, connection), relay(env)), connection)
