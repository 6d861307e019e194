"""Checks of a message: its size as announced and as it is, its hops, viruses (aio: databytesmf, databytesrcpt; End of DATA; clamd)."""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.smtp import reply
from qmailpy.text.address import domain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from qmailpy.smtp.facts import Facts, Settings
    from qmailpy.smtp.reply import Reply
    from qmailpy.smtp.world import Scan, SmtpWorld, World

BY_SENDER, BY_RECIPIENT = "databytesmf", "databytesrcpt"


def announced_size(facts: Facts, world: World) -> Reply | None:
    """A size announced with MAIL that is over databytes (RFC 1870 section 6.1; aio: MAIL)."""
    limit = facts.values.number("databytes")
    return reply.TOO_BIG if limit and facts.size > limit and is_one_for_all(facts.values) else None


def is_one_for_all(values: Settings) -> bool:
    """Whether the limit depends neither on sender nor on recipients: only then can it be announced, and held against MAIL."""
    return values.map(BY_SENDER) is None and values.map(BY_RECIPIENT) is None


def recipient_limit(facts: Facts, world: World) -> int:
    """The most bytes that a message to the recipient being judged may have; 0: any number."""
    listed = [found for name, address in ((BY_SENDER, facts.sender or b""), (BY_RECIPIENT, facts.recipient))
              if (found := entry(name, address, facts.values, world)) is not None]
    return strictest(listed) if listed else facts.values.number("databytes")


def strictest(limits: Iterable[int]) -> int:
    """The smallest limit; 0, which is none, only if there is no other."""
    return min((one for one in limits if one), default=0)


def entry(name: str, address: bytes, values: Settings, world: World) -> int | None:
    """What a map of limits says of an address, else of its domain; None if nothing."""
    table = values.map(name)
    if not table:
        return None
    host = domain(address)
    for key in (address.lower(), *(() if host is None else (b"@" + host,))):
        if (value := table.get(key)) is None:
            continue
        if value.isdigit():
            return int(value)
        world.log_once(b"%s: no number: %s:%s" % (name.encode(), key, value))
    return None


def few_hops(facts: Facts, world: World) -> Reply | None:
    """A message that has been through too many hosts goes in a circle."""
    return reply.LOOPING if facts.message and facts.message.reader.looping else None


def within_limit(facts: Facts, world: World) -> Reply | None:
    """The size of the message that has come."""
    return reply.TOO_BIG if facts.message and facts.message.too_big else None


def begin_scan(facts: Facts, world: SmtpWorld) -> Scan | None:
    """The way through clamd for a message that begins; None if there is no clamd."""
    address = facts.values.line("clamd")
    return world.open_scan(address, facts.values.number("timeoutclamd")) if address else None


def free_of_viruses(facts: Facts, world: SmtpWorld) -> Reply | None:
    """What clamd says of the message; clamdfailreject decides what becomes of it if clamd cannot tell."""
    if not facts.message or not facts.message.scan:
        return None
    try:
        virus = facts.message.scan.verdict()
    except Temporary as problem:
        world.log(b"clamd: failed: " + problem.text.encode("utf-8", "surrogateescape"))
        return reply.NO_SCANNER if facts.values.flag("clamdfailreject") else None
    if virus is None:
        return None
    world.log(b"clamd: virus %s from %s" % (virus, facts.client.ip))
    return reply.virus(virus)
