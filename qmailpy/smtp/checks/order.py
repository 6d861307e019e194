"""The order of the checks: the first that has a reply decides (aio: The complete order of checks)."""

from __future__ import annotations

from qmailpy.smtp.checks.patterns import bad_helo, bad_host, bad_recipient, bad_sender
from qmailpy.smtp.checks.rcpt import few_enough, has_room, may_relay
from qmailpy.smtp.checks.sender import bad_mail_from, comes_from_its_network, domain_exists, exchanger_knows, helo_exists
from qmailpy.smtp.checks.size import announced_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import SmtpWorld

    Check = Callable[[Facts, SmtpWorld], Reply | None]

AT_MAIL: tuple[Check, ...] = (
    announced_size,
    comes_from_its_network,
    domain_exists, exchanger_knows,
)
AT_RCPT: tuple[Check, ...] = (
    few_enough,
    bad_host,
    bad_helo, helo_exists,
    bad_mail_from, bad_sender,
    bad_recipient,
    may_relay,
    has_room,
)


def refusal(checks: Sequence[Check], facts: Facts, world: SmtpWorld) -> Reply | None:
    """The reply of the first check that has one; None: go on.  Raises Temporary where a check cannot decide."""
    for check in checks:
        if (found := check(facts, world)) is not None:
            return found
    return None
