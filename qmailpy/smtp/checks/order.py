"""The order of the checks: the first that has a reply decides (aio: The complete order of checks)."""

from __future__ import annotations

from qmailpy.smtp.checks.rcpt import has_room, may_relay
from qmailpy.smtp.checks.sender import bad_mail_from
from qmailpy.smtp.checks.size import announced_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import World

    Check = Callable[[Facts, World], Reply | None]

AT_MAIL: tuple[Check, ...] = (announced_size,)
AT_RCPT: tuple[Check, ...] = (bad_mail_from, may_relay, has_room)


def refusal(checks: Sequence[Check], facts: Facts, world: World) -> Reply | None:
    """The reply of the first check that has one; None: go on.  Raises Temporary where a check cannot decide."""
    for check in checks:
        if (found := check(facts, world)) is not None:
            return found
    return None
