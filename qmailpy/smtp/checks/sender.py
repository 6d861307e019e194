"""Checks of who sends: the client's host, the name in HELO, the sender's address, its domain, its network."""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.smtp import reply
from qmailpy.smtp.reply import Reply
from qmailpy.text.address import domain, literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.world import SmtpWorld, World

DOUBLE_BOUNCE = b"#@[]"  # the sender of a bounce of a bounce


def denied(facts: Facts, world: SmtpWorld, name: str, subject: bytes, refused: Reply) -> Reply | None:
    """`refused` if a line of control/NAMEext or NAMEint, whichever is for this client now, hits the subject (aio: Regular-expression lists).

    A refusal for now if that cannot be found out.
    """
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


def bad_mail_from(facts: Facts, world: World) -> Reply | None:
    """control/badmailfrom: whole addresses, or @domain; told at RCPT (qmail-smtpd(8))."""
    refused = facts.values.names("badmailfrom")
    if not refused:
        return None
    address = (facts.sender or b"").lower()
    _, at, host = address.rpartition(b"@")
    hit = address in refused or (at and at + host in refused)
    return reply.BAD_MAIL_FROM if hit else None


def bad_sender(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badmailfrom*: the sender; the empty one is never bad."""
    return denied(facts, world, "badmailfrom", facts.sender, reply.BAD_SENDER) if facts.sender else None


def bad_host(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badrmhost*: the host that connects; `unknown` if the listener does not tell its name."""
    if not facts.values.list(facts.side("badrmhost")):
        return None
    from qmailpy.text.loglines import SAFE

    host = facts.client.host
    return denied(facts, world, "badrmhost", host, Reply(553, b"sorry, your host (" + host.translate(SAFE) + b") has been denied (#5.7.1)"))


def bad_helo(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/badhelo*: the name in HELO, told at RCPT, so that a client can authenticate first; without HELO there is nothing to judge."""
    return None if facts.helo is None else denied(facts, world, "badhelo", facts.helo, reply.BAD_HELO)


def helo_exists(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/helodnschk*: the name in HELO has an address or a mail exchanger; asked once for each name, told at RCPT.

    Without HELO, with an [address] in it, and while the DNS does not answer, there is no objection.
    """
    if facts.helo is None or not facts.values.flag(facts.side("helodnschk")):
        return None
    if facts.helo_known is None:
        facts.helo_known = is_known(facts.helo, world)
    if facts.helo_known:
        return None
    world.log(facts.entry("helodnschk", facts.helo))
    return reply.UNKNOWN_HELO


def is_known(name: bytes, world: SmtpWorld) -> bool:
    """Whether a name may stand in HELO, as far as the DNS says."""
    if literal(name) is not None:
        return True
    if not name or literal(b"[" + name + b"]") is not None:
        return False
    try:
        return world.exists(name)
    except Temporary:
        return True


def comes_from_its_network(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/antispoofing: an address, or else a domain, that is named there may only come from its networks; the empty sender may from any."""
    lines = facts.values.list("antispoofing")
    host = domain(facts.claimed)
    if not lines or host is None:
        return None
    from qmailpy.text.netmask import address, network

    words = listed(lines, facts.claimed.lower(), host, world)
    if words is None:
        return None
    client = address(facts.client.ip)
    for word in words:
        allowed = network(word)
        if allowed is None:
            world.log_once(b"antispoofing: bad network: " + word)
        elif allowed.contains(client):
            return None
    world.log(facts.entry("antispoofing", facts.claimed))
    return reply.FOREIGN_SENDER


def listed(lines: list[bytes], address: bytes, host: bytes, world: SmtpWorld) -> list[bytes] | None:
    """What stands behind an address, or else behind its domain; of several lines with one key all count.  None: neither is named."""
    found: dict[bytes, list[bytes]] = {}
    for line in lines:
        key, colon, words = line.partition(b":")
        if not colon:
            world.log_once(b"antispoofing: no colon: " + line)
        elif (key := key.strip().lower()) in (address, host):
            found.setdefault(key, []).extend(words.split())
    return found.get(address, found.get(host))


def domain_exists(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/mfcheck: the sender's domain has mail exchangers or addresses (level 1)."""
    if not facts.values.number("mfcheck") or facts.claimed in (b"", DOUBLE_BOUNCE):
        return None
    host = domain(facts.claimed)
    try:
        if host is not None and (literal(host) is not None or world.takes_mail(host)):
            return None
    except Temporary as problem:
        world.log(facts.entry("mfcheck", facts.claimed) + f": {problem.text}".encode())
        return reply.NO_DNS
    world.log(facts.entry("mfcheck", facts.claimed) + b": no such domain")
    return reply.NO_SENDER_DOMAIN


def exchanger_knows(facts: Facts, world: SmtpWorld) -> Reply | None:
    """control/mfcheck: a mail exchanger of the sender's domain takes mail for it (level 2).  Relay clients are not asked about."""
    values = facts.values
    if values.number("mfcheck") != 2 or facts.relay is not None or facts.claimed in (b"", DOUBLE_BOUNCE):
        return None
    if (host := domain(facts.claimed)) is None or literal(host) is not None:
        return None
    from qmailpy.smtp import callback

    answer = world.call_back(facts.claimed, values.line("helohost"), max(values.number("timeoutmfcheck"), 1))
    if answer.verdict not in (callback.KNOWN, callback.OURS):
        world.log(facts.entry("mfcheck", facts.claimed) + b": " + answer.reason.rstrip(b"\n").replace(b"\n", b"/"))
    return {callback.UNKNOWN: reply.NO_SENDER, callback.LATER: reply.UNVERIFIED}.get(answer.verdict)
