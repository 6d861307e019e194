"""Checks of the recipient."""

from __future__ import annotations

from qmailpy.smtp import reply
from qmailpy.smtp.checks.sender import denied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import SmtpWorld, World

ROOM = 16 << 20  # bytes for the recipients of one message: over 100 000 of usual length


def few_enough(facts: Facts, world: World) -> Reply | None:
    """control/maxrecipients: recipients of one message; those that were refused do not count (aio: maxrecipients)."""
    limit = facts.values.number("maxrecipients")
    return reply.TOO_MANY if limit and len(facts.recipients) >= limit else None


def bad_recipient(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badmailto*: the recipient, before anything is added to it."""
    return denied(facts, world, "badmailto", facts.recipient, reply.BAD_RECIPIENT)


def has_room(facts: Facts, world: World) -> Reply | None:
    """A client cannot make memory grow without a bound; what it is refused it can send next (RFC 5321 section 4.5.3.1.10)."""
    return reply.TOO_MANY if facts.room_taken >= ROOM else None


def suffixes(host: bytes) -> Iterator[bytes]:
    """`host`, and each of its suffixes that begins with a dot."""
    yield host
    at = host.find(b".", 0)
    while at != -1:
        if at:
            yield host[at:]
        at = host.find(b".", at + 1)


def may_relay(facts: Facts, world: World) -> Reply | None:
    """control/rcpthosts and morercpthosts.cdb: the domains that mail is taken for; a relay client may send to any (qmail-smtpd(8)).

    An address without a host is this host's.
    """
    listed = facts.values.names("rcpthosts")
    _, at, host = facts.recipient.rpartition(b"@")
    if facts.relay is not None or listed is None or not at:
        return None
    names = list(suffixes(host.lower()))
    if any(name in listed for name in names) or any(world.in_more_rcpthosts(name) for name in names):
        return None
    if facts.tls is None:
        return reply.NO_GATEWAY
    from qmailpy.smtp.checks.certificate import vouched_for

    return vouched_for(facts, world)
