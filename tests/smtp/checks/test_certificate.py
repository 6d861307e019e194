"""Relaying by certificate: the rows of the rule's table."""

import pytest

from qmailpy.smtp.checks.rcpt import may_relay
from qmailpy.smtp.facts import Facts, Secured
from qmailpy.text.received import Client
from tests.smtp.world import FakeWorld, values

LISTED = {"rcpthosts": frozenset([b"ours.example"]), "tlsclients": frozenset([b"bob@x.example"]), "clientca_pem": True}
BOB = Secured(b"X", shown=True, addresses=(b"bob@x.example",))
PLAIN = b"sorry, that domain isn't in my list of allowed rcpthosts"


def ask(tls, recipient=b"a@far.example", relay=None, **given):
    """(the text of the refusal, or None; the facts; the world) for a recipient."""
    facts, world = Facts(values(**{**LISTED, **given}), Client(info=b"ident"), relay), FakeWorld()
    facts.tls, facts.recipient = tls, recipient
    refused = may_relay(facts, world)
    return refused and refused.lines[0], facts, world


@pytest.mark.parametrize(("tls", "listed", "matched"), [
    (BOB, b"bob@x.example", b"bob@x.example"),
    (Secured(b"X", shown=True, addresses=(b"BOB@X.example",)), b"bob@x.example", b"BOB@X.example"),
    (Secured(b"X", shown=True, addresses=(b"ann@x.example", b"bob@x.example")), b"bob@x.example", b"bob@x.example"),
])
def test_a_listed_address_lets_the_client_relay(tls, listed, matched):
    refused, facts, world = ask(tls, tlsclients=frozenset([listed]))
    assert refused is None
    assert (facts.relay, facts.vouched, world.done) == (b"", matched, [("introduce", (b"", b"ident"))])


@pytest.mark.parametrize(("tls", "given", "text"), [
    (Secured(b"X"), {}, PLAIN + b"; no valid cert for gatewaying (#5.7.1)"),
    (Secured(b"X", shown=True, trouble="self-signed certificate", addresses=BOB.addresses), {},
     PLAIN + b"; no valid cert for gatewaying: self-signed certificate (#5.7.1)"),
    (Secured(b"X", shown=True, trouble="certificate revoked", addresses=BOB.addresses), {},
     PLAIN + b"; no valid cert for gatewaying: certificate revoked (#5.7.1)"),
    (Secured(b"X", shown=True), {}, PLAIN + b"; no valid cert for gatewaying: contains no email address (#5.7.1)"),
    (BOB, {"tlsclients": frozenset([b"ann@x.example"])}, PLAIN + b"; no valid cert for gatewaying: email address not in my list of tlsclients (#5.7.1)"),
    (BOB, {"tlsclients": frozenset()}, PLAIN + b"; no valid cert for gatewaying: email address not in my list of tlsclients (#5.7.1)"),
    (BOB, {"tlsclients": None}, PLAIN + b" (#5.7.1)"),
    (BOB, {"clientca_pem": None}, PLAIN + b" (#5.7.1)"),
    (None, {}, PLAIN + b" (#5.7.1)"),
])
def test_refusals(tls, given, text):
    refused, facts, world = ask(tls, **given)
    assert refused == text
    assert (facts.relay, facts.vouched, world.done) == (None, None, [])


@pytest.mark.parametrize(("recipient", "relay"), [(b"a@ours.example", None), (b"a@far.example", b".gw"), (b"a", None)])
def test_where_no_certificate_is_needed_none_is_looked_at(recipient, relay):
    refused, facts, world = ask(Secured(b"X", shown=True, trouble="certificate has expired"), recipient, relay)
    assert refused is None
    assert (facts.relay, world.done) == (relay, [])
