"""The order of the checks: the first that has a reply decides (aio: The complete order of checks)."""

from __future__ import annotations

from qmailpy.smtp.checks.bounce import answers_our_mail
from qmailpy.smtp.checks.mailbox import all_have_mailboxes, has_mailbox, passes_program
from qmailpy.smtp.checks.message import announced_size, few_hops, free_of_viruses, within_limit
from qmailpy.smtp.checks.rcpt import bad_recipient, few_enough, has_room, may_relay
from qmailpy.smtp.checks.sender import (
    bad_helo, bad_host, bad_mail_from, bad_sender, comes_from_its_network, domain_exists, exchanger_knows, helo_exists,
)

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
    may_relay, has_room,
    answers_our_mail,
    has_mailbox,
    passes_program,
)
AT_DATA: tuple[Check, ...] = (all_have_mailboxes,)
AT_END: tuple[Check, ...] = (few_hops, within_limit, free_of_viruses)


def refusal(checks: Sequence[Check], facts: Facts, world: SmtpWorld) -> Reply | None:
    """The reply of the first check that has one; None: go on.  Raises Temporary where a check cannot decide."""
    for check in checks:
        if (found := check(facts, world)) is not None:
            return found
    return None
