"""Checks of sizes."""

from __future__ import annotations

from qmailpy.smtp import reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import World


def announced_size(facts: Facts, world: World) -> Reply | None:
    """A size announced with MAIL that is over databytes (RFC 1870 section 6.1; aio: MAIL)."""
    limit = facts.values.number("databytes")
    return reply.TOO_BIG if limit and facts.size > limit else None
