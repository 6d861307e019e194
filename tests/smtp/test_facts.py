"""A session's state."""

from qmailpy.smtp.facts import Facts
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
