"""Relaying by certificate (aio: tlsclients)."""

from __future__ import annotations

from qmailpy.smtp.reply import NO_GATEWAY, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.smtp.facts import Facts
    from qmailpy.smtp.world import World


def vouched_for(facts: Facts, world: World) -> Reply | None:
    """A recipient elsewhere: a client whose verified certificate bears an address of control/tlsclients may relay from now on."""
    listed = facts.values.names("tlsclients")
    if facts.tls is None or listed is None or not facts.values.known("clientca.pem"):
        return NO_GATEWAY
    if not facts.tls.shown:
        return no_valid_certificate("")
    if facts.tls.trouble:
        return no_valid_certificate(f": {facts.tls.trouble}")
    if not facts.tls.addresses:
        return no_valid_certificate(": contains no email address")
    found = next((address for address in facts.tls.addresses if address.lower() in listed), None)
    if found is None:
        return no_valid_certificate(": email address not in my list of tlsclients")
    facts.relay, facts.vouched = b"", found
    world.introduce(facts.relay, facts.client.info)
    return None


def no_valid_certificate(why: str) -> Reply:
    """The refusal."""
    return Reply(553, f"sorry, that domain isn't in my list of allowed rcpthosts; no valid cert for gatewaying{why} (#5.7.1)")
