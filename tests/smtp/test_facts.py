"""A session's state."""

from qmailpy.smtp import reply
from qmailpy.smtp.facts import Facts, Limits, Secured
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


def test_commands_are_counted():
    limits, few = Limits(), values(maxcommands=2)
    assert [limits.begin_command(few) for _ in range(3)] == [None, None, reply.TOO_MANY_COMMANDS]
    assert limits.commands == 3
    assert Limits().begin_command(values(maxcommands=0)) is None


def test_refusals_for_good_are_counted_until_a_message_is_accepted():
    limits, few = Limits(), values(maxerrors=2)
    refusals = [reply.UNIMPLEMENTED, reply.TOO_MANY, reply.OK, reply.NO_GATEWAY]
    assert [limits.weigh(one, few) for one in refusals] == refusals
    assert limits.mistakes == 2
    assert limits.weigh_message(reply.Reply(250, "ok 1 qp 2"), few).code == 250
    assert limits.mistakes == 0
    assert [limits.weigh_message(reply.LOOPING, few) for _ in range(3)] == [reply.LOOPING, reply.LOOPING, reply.TOO_MANY_ERRORS]
    assert Limits(mistakes=10 ** 9).weigh(reply.SYNTAX, values(maxerrors=0)) == reply.SYNTAX


def test_what_a_session_has_taken_goes_with_it():
    before = Limits(12.5, 3, 4)
    after = Limits(*(getattr(before, name) for name in Limits.__slots__))
    assert (after.end, after.commands, after.mistakes) == (12.5, 3, 4)
