"""A session's state."""

from qmailpy.smtp.facts import Facts, Secured
from qmailpy.text.received import Client
from tests.smtp.world import values


def test_a_transaction_is_forgotten_whole_and_the_helo_name_stays():
    facts = Facts(values(), Client())
    facts.helo, facts.sender, facts.recipients, facts.recipient, facts.size = b"x", b"a", [b"b"], b"b", 5
    facts.accept_recipient(b"c")
    assert facts.recipients == [b"b", b"c"]
    assert facts.room_taken > 1
    facts.forget_transaction()
    assert (facts.helo, facts.sender, facts.recipients, facts.recipient, facts.size) == (b"x", None, [], b"", 0)
    assert facts.room_taken == 0


def test_a_transaction_takes_its_verdicts_along():
    facts = Facts(values(), Client())
    facts.signed, facts.missing, facts.limit, facts.message = True, True, 5, object()
    facts.forget_transaction()
    assert (facts.signed, facts.missing, facts.limit, facts.message) == (False, False, 0, None)


def test_the_side_of_a_pair_that_counts():
    facts = Facts(values(), Client())
    assert facts.side("badhelo") == "badheloext"
    facts.relay = b""
    assert facts.side("badhelo") == "badheloint"


def test_a_user_is_trusted_until_tls_begins():
    facts = Facts(values(), Client(info=b"ident"), b".gw")
    facts.helo, facts.sender = b"x", b"a"
    facts.trust(b"bob")
    assert (facts.user, facts.client.info, facts.relay, facts.side("secauth")) == (b"bob", b"bob", b"", "secauthint")
    facts.begin_tls(Secured(b"X"))
    assert (facts.user, facts.client.info, facts.relay, facts.helo, facts.sender) == (None, b"ident", b".gw", None, None)
    assert facts.tls.cipher == b"X"
