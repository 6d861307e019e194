"""qmail-smtpd: take mail by SMTP on descriptors 0 and 1.  See qmail-smtpd(8)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import PARKED, Temporary, bug, complain
from qmailpy.home import here
from qmailpy.serve.world import SmtpWorld, client, relay
from qmailpy.settings.load import load_for_server
from qmailpy.smtp import reply
from qmailpy.smtp.server import Session
from qmailpy.unix.connection import Connection, Gone, Over
from qmailpy.unix.fds import TimedOut, may_complain
from qmailpy.unix.signals import shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from qmailpy.home import Home
    from qmailpy.pool.parking import Spot
    from qmailpy.settings.load import Values
    from qmailpy.text.parkwire import Parked

SETTINGS = (
    "smtpgreeting", "localiphost", "timeoutsmtpd", "rcpthosts", "badmailfrom", "databytes",
    "greetdelay", "databeforegreet", "helodelay", "mfdelay", "rcptdelay", "tarpitcount", "tarpitdelay", "maxrecipients",
    "badheloext", "badheloint", "badmailfromext", "badmailfromint", "badmailtoext", "badmailtoint", "badrmhostext", "badrmhostint",
    "helodnschkext", "helodnschkint", "antispoofing", "mfcheck", "timeoutmfcheck", "helohost",
    "recipientchkdelay", "signkey", "signkeystale", "nosignhosts", "nosignmydoms", "databytesmf", "databytesrcpt", "clamd", "clamdfailreject", "timeoutclamd",
    "me", "authfaildelay", "secauthext", "secauthint", "tlssmtpext", "tlssmtpint", "servercert.pem", "tlsserverciphers", "clientca.pem", "clientcrl.pem",
    "tlsclients", "maxline", "maxcommands", "maxerrors", "timeoutsession",
)
LOST = 1


def settings(home: Home, env: Mapping[str, str]) -> Values:
    """The values of the control files.  Raises Temporary."""
    values = load_for_server(home, SETTINGS, env)
    if not values.known("smtpgreeting"):
        raise Temporary("neither control/smtpgreeting nor control/me is there")
    return values


def open_with(session: Session, connection: Connection) -> None:
    """The first words.  Raises Gone, TimedOut, Over."""
    if session.handshake_due:
        session.begin_tls()
    if session.closing is None:
        connection.say(session.greeting())


def talk(session: Session, connection: Connection, spot: Spot | None) -> int:
    """The dialogue, to its end; the exit status, or PARKED.  Raises Gone, TimedOut, Over."""
    connection.until(session.limits.end)
    if spot is not None and spot.parked is not None:
        connection.within(spot.parked.deadline - time.monotonic())
        answered = False
    else:
        open_with(session, connection)
        answered = True
    while session.closing is None:
        # A command must be whole in time, however it drips; a message may take longer, as long as it goes on.
        if answered:
            connection.within(None if session.message else connection.timeout)
        if spot is not None and session.at_rest and spot.leave(connection, session.rest):
            return PARKED
        answered = connection.say_all(session.feed(connection.read()))
    connection.flush()
    return session.closing


def serve(session: Session, connection: Connection, spot: Spot | None = None) -> int:
    """The dialogue, and what is said when it breaks off; the exit status, or PARKED."""
    try:
        return talk(session, connection, spot)
    except Gone:
        return LOST
    except Over:
        last_words(connection, session.tell(reply.SESSION_OVER))
    except TimedOut:
        last_words(connection, reply.TIMEOUT.wire())
    except Exception as problem:  # noqa: BLE001 (a bug: the client keeps the message, we say where)
        if may_complain():
            what = bug(problem) if session.doing != "AUTH" else "internal error"  # whose text could hold the password
            complain(f"qmail-smtpd: fatal: while {session.doing}: {what}")
        last_words(connection, reply.BUG.wire())
    finally:
        session.abandon()
        connection.close()
    return LOST


def last_words(connection: Connection, answer: bytes) -> None:
    """A reply that the end of the session does not keep from being said."""
    connection.until(None)
    connection.say(answer)


def end_of(values: Values) -> float | None:
    """When a session that begins now must be over, on the monotonic clock; None: there is no such time."""
    seconds = values.number("timeoutsession")
    return time.monotonic() + seconds if seconds else None


def login(argv: list[str], values: Values, world: SmtpWorld) -> tuple[bytes | None, Sequence[str]]:
    """(the host's name in challenges, or None if there is no AUTH; the program that checks passwords), as the arguments say."""
    if len(argv) == 1:
        return None, ()
    from qmailpy.serve.checkpassword import arguments

    found = arguments(argv[1:])
    if found is None:
        world.log_once(b"AUTH is off: the arguments are neither `host check sub ...` nor `/path/check sub ...`")
        return None, ()
    host, check = found
    return values.line("me") or values.line("smtpgreeting") if host is None else os.fsencode(host), check


def listener_tls(env: Mapping[str, str]) -> bool:
    """Whether the listener does TLS for us."""
    if "UCSPITLS" not in env:
        return False
    from qmailpy.unix.ucspi_tls import offered

    return offered(env)


def begin(home: Home, values: Values, argv: list[str], env: MutableMapping[str, str], connection: Connection, parked: Parked | None = None) -> Session | None:
    """The session before its first word, or as it was at rest; None: there must be TLS from the first byte, and there is none."""
    world = SmtpWorld(home, env, connection, values)
    if parked:
        world.pid = parked.rest.pid
        world.told.update(parked.rest.told)
    host, world.check = login(argv, values, world)
    session = Session(values, client(env), world, relay(env), auth_host=host, listener_tls=listener_tls(env), end=parked.end if parked else end_of(values))
    if parked:
        session.resume(parked.rest)
    if "SMTPS" in env:
        if world.prepare_tls():
            return None
        session.handshake_due = True
    elif host is not None and not session.allows_auth() and not session.offers_tls():
        world.log_once(b"warning: nobody can authenticate: " + session.facts.side("secauth").encode() + b" is set, but TLS is not offered")
    return session


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    return work(argv, env)


def work(argv: list[str], env: MutableMapping[str, str], spot: Spot | None = None) -> int:
    """A session, or more of it; the exit status, or PARKED.  `spot`: where it can wait for the client, and may have waited already (pool/parking.py)."""
    with shielded():
        try:
            home = here()
            values = settings(home, env)
        except Temporary as problem:
            if os.isatty(2):
                complain(f"qmail-smtpd: fatal: {problem.text}")
            if "SMTPS" not in env:
                os.write(1, reply.NO_CONTROLS.wire())
            return LOST
        connection = Connection(0, 1, max(values.number("timeoutsmtpd"), 1))
        session = begin(home, values, argv, env, connection, spot.parked if spot else None)
        return LOST if session is None else serve(session, connection, spot)
