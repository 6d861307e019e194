"""Checks whether a recipient has a mailbox: recipientchk, and the program that RCPTCHECK names (aio: recipientchk, RCPTCHECK)."""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.smtp import reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import SmtpWorld, World

ACCOUNTS, TABLES = 1, 2  # values of recipientchk
ANSWERS = {100: reply.REFUSED_BY_PROGRAM, 111: reply.CANNOT_VERIFY, 120: reply.CANNOT_EXECUTE}  # of the program, by its exit status


def has_mailbox(facts: Facts, world: SmtpWorld) -> Reply | None:
    """recipientchk.  With QMAILRRTDENYALL it is only remembered that a recipient has none, and DATA is refused."""
    try:
        if not lacks_mailbox(facts, world):
            return None
    except Temporary as problem:
        return reply.end_of_session(problem)
    if facts.missing:
        return None
    hold(facts, world)
    return reply.NO_MAILBOX


def all_have_mailboxes(facts: Facts, world: SmtpWorld) -> Reply | None:
    """What QMAILRRTDENYALL has put off until DATA."""
    if not facts.missing:
        return None
    hold(facts, world)
    return reply.NO_MAILBOX_AMONG


def hold(facts: Facts, world: SmtpWorld) -> None:
    """recipientchkdelay, before a refusal."""
    if seconds := facts.values.number("recipientchkdelay"):
        world.pause(seconds)


def lacks_mailbox(facts: Facts, world: World) -> bool:
    """Whether recipientchk finds no mailbox for the recipient; that is logged, and with QMAILRRTDENYALL remembered.

    Raises Temporary, with the text of the reply, if it cannot be found out.
    """
    if facts.missing or exists(facts, world):  # once the message is refused anyway, nobody is asked
        return False
    world.log(b"realrcptto %d %s %s" % (world.pid, facts.client.ip, facts.recipient))
    facts.missing = world.variable("QMAILRRTDENYALL") not in (None, "", "0")
    return True


def exists(facts: Facts, world: World) -> bool:
    """Whether the recipient has a mailbox, as far as recipientchk asks.  Raises Temporary."""
    way = facts.values.number("recipientchk")
    if way == ACCOUNTS:
        return has_account(facts, world)
    if way == TABLES and facts.relay is None:
        return is_listed(facts, world)
    return True


def has_account(facts: Facts, world: World) -> bool:
    """Whether an address that is delivered here is a user's, or a .qmail file is there for it; other addresses pass.  Raises Temporary."""
    from qmailpy.text.route import REMOTE, Routes

    values = facts.values
    routes = Routes(values.line("envnoathost"), values.names("locals") or frozenset(), values.names("percenthack") or frozenset(),
                    values.map("virtualdomains") or {})
    channel, address = routes.route(facts.recipient)
    return channel == REMOTE or world.has_account(address.rpartition(b"@")[0])


def is_listed(facts: Facts, world: World) -> bool:
    """Whether one of the tables that control/recipients names has the recipient.  Raises Temporary if none of them is there."""
    tables, wanted = facts.values.list("recipients"), list(keys(facts.recipient))
    if not tables:
        world.log_once(b"control/recipients names no table: recipients are not checked")
        return True
    there = False
    for table in tables:
        found = world.in_table(table, wanted)
        if found:
            return True
        there = there or found is not None
    if not there:
        raise Temporary("unable to check recipients", "4.3.0")
    return False


def keys(address: bytes) -> Iterator[bytes]:
    """The keys that stand for an address: itself, its whole domain, and what is before each dash of it, with the dash and without (VERP)."""
    box, at, host = address.lower().rpartition(b"@")
    if not at:
        box, host = host, b"localhost"
    yield b":" + box + b"@" + host
    yield b":!@" + host
    yield b":@" + host
    dash = box.find(b"-")
    while dash != -1:
        yield b":" + box[:dash + 1] + b"@" + host
        yield b":" + box[:dash] + b"@" + host
        dash = box.find(b"-", dash + 1)


def passes_program(facts: Facts, world: SmtpWorld) -> Reply | None:
    """RCPTCHECK: a program of the administrator's judges recipients of strangers."""
    program = world.variable("RCPTCHECK")
    if not program or facts.relay is not None:
        return None
    try:
        code = world.ask_program(program, facts.sender or b"", facts.recipient)
    except Temporary as problem:
        return reply.end_of_session(problem)
    return reply.CANNOT_EXECUTE if code < 0 else ANSWERS.get(code)
