"""Lists of regular expressions; of each pair, the one counts that is for this client now (aio: badheloext/int and its like)."""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.smtp import reply
from qmailpy.smtp.reply import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.world import SmtpWorld


def hit(facts: Facts, world: SmtpWorld, name: str, subject: bytes, refused: Reply) -> Reply | None:
    """`refused` if a line of control/NAMEext or NAMEint hits the subject; a refusal for now if that cannot be found out."""
    side = facts.side(name)
    lines = facts.values.list(side)
    if not lines:
        return None
    try:
        line = world.search(side, lines, subject)
    except Temporary as problem:
        world.log(facts.entry(side, subject) + f": {problem.text}".encode())
        return reply.UNSEARCHED
    if line is None:
        return None
    world.log(facts.entry(name, subject) + (b" matches pattern: " + line if world.variable("LOGREGEX") is not None else b""))
    return refused


def bad_host(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badrmhost*: the host that connects; `unknown` if the listener does not tell its name."""
    if not facts.values.list(facts.side("badrmhost")):
        return None
    from qmailpy.text.loglines import SAFE

    host = facts.client.host
    return hit(facts, world, "badrmhost", host, Reply(553, b"sorry, your host (" + host.translate(SAFE) + b") has been denied (#5.7.1)"))


def bad_helo(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badhelo*: the name in HELO, told at RCPT, so that a client can authenticate first; without HELO there is nothing to judge."""
    return None if facts.helo is None else hit(facts, world, "badhelo", facts.helo, reply.BAD_HELO)


def bad_sender(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badmailfrom*: the sender; the empty one is never bad."""
    return hit(facts, world, "badmailfrom", facts.sender, reply.BAD_SENDER) if facts.sender else None


def bad_recipient(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badmailto*: the recipient, before anything is added to it."""
    return hit(facts, world, "badmailto", facts.recipient, reply.BAD_RECIPIENT)
