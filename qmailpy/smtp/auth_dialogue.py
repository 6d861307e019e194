"""AUTH in a session: the dialogue around an exchange, and what comes of it (aio: AUTH)."""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.smtp import auth, reply
from qmailpy.smtp.reply import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.smtp.auth import Credentials, Exchange
    from qmailpy.smtp.server import Session


def begin(session: Session, argument: bytes) -> Reply:
    """AUTH, where it is allowed."""
    mechanism, _, initial = argument.partition(b" ")
    try:
        exchange = auth.begin(mechanism, initial.strip(b" "), lambda: stamp(session))
    except auth.Malformed:
        return reply.AUTH_MALFORMED
    return reply.AUTH_UNKNOWN if exchange is None else following(session, exchange)


def stamp(session: Session) -> bytes:
    """A challenge for CRAM-MD5."""
    return b"<%s@%s>" % (session.world.stamp(), session.auth_host)


def go_on(session: Session, line: bytes | None) -> Reply:
    """The client's next line; None: it is too long."""
    exchange, session.exchange = session.exchange, None
    assert exchange
    if line is None:
        return reply.LINE_TOO_LONG
    line = line.removesuffix(b"\r")
    if line == b"*":
        return reply.AUTH_CANCELLED
    try:
        exchange.answer(line)
    except auth.Malformed:
        return reply.AUTH_MALFORMED
    return following(session, exchange)


def following(session: Session, exchange: Exchange) -> Reply:
    """The next challenge, or at the end the verdict."""
    if exchange.credentials is None:
        session.exchange = exchange
        return Reply(334, exchange.challenge)
    return verdict(session, exchange.credentials)


def verdict(session: Session, credentials: Credentials) -> Reply:
    """Have the credentials checked; a client that they let in may relay."""
    world, facts = session.world, session.facts
    try:
        accepted = world.authenticate(credentials)
    except Temporary as problem:
        return Reply(454, f"oops, {problem.text} and I can't auth (#4.3.0)")
    if not accepted:
        world.pause(facts.values.number("authfaildelay"))
        return reply.AUTH_REFUSED
    if facts.tls is None:
        world.log(b"warning: AUTH in clear from " + facts.client.ip + b"; with " + facts.side("secauth").encode() + b" it needs TLS")
    facts.trust(credentials.name)
    world.introduce(facts.relay, credentials.name)
    return reply.AUTH_ACCEPTED
