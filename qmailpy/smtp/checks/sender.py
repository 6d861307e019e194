"""Checks of the sender."""

from __future__ import annotations

from qmailpy.smtp import reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import World


def bad_mail_from(facts: Facts, world: World) -> Reply | None:
    """control/badmailfrom: whole addresses, or @domain; told at RCPT (qmail-smtpd(8))."""
    refused = facts.values.names("badmailfrom")
    if not refused:
        return None
    address = (facts.sender or b"").lower()
    _, at, host = address.rpartition(b"@")
    hit = address in refused or (at and at + host in refused)
    return reply.BAD_MAIL_FROM if hit else None
