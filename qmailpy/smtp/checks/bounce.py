"""BATV: mail to our signed senders comes back signed, and what does not is no bounce of ours (aio: BATV; text/batv.py)."""

from __future__ import annotations

from qmailpy.smtp import reply
from qmailpy.text.address import domain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import World

BOUNCER = b"mailer-daemon"


def without_tag(facts: Facts, address: bytes, now: int) -> bytes:
    """The address of MAIL or RCPT without a tag of ours; with one that is not valid, as it is."""
    key = facts.values.line("signkey")
    if not key:
        return address
    from qmailpy.text.batv import today, unsigned

    plain = unsigned(address, key, today(now), facts.values.number("signkeystale"))
    return address if plain is None else plain


def is_bounce(facts: Facts) -> bool:
    """Whether the message under way is a bounce of mail that left here signed: what comes from nosignhosts answers unsigned mail."""
    unsigning = facts.values.names("nosignhosts") or frozenset()
    if not facts.sender:
        return facts.client.host.lower() not in unsigning
    box, at, host = facts.sender.lower().rpartition(b"@")
    return (box if at else host) == BOUNCER and host not in unsigning


def answers_our_mail(facts: Facts, world: World) -> Reply | None:
    """A bounce from a stranger goes to signed recipients only, but for domains whose senders are never signed."""
    if not facts.values.line("signkey") or facts.relay is not None or facts.signed or not is_bounce(facts):
        return None
    if domain(facts.recipient) in (facts.values.names("nosignmydoms") or frozenset()):
        return None
    world.log(b"bad bounce: at %s to %s" % (facts.client.ip, facts.recipient))
    return reply.NOT_OURS
