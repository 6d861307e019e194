"""The order of the checks."""

from qmailpy.smtp import reply
from qmailpy.smtp.checks.order import AT_DATA, AT_END, AT_MAIL, AT_RCPT, refusal
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import FakeWorld, values


def facts(recipient=b"a@far.example", sender=b"bad@x"):
    found = Facts(values(badmailfrom=frozenset([b"bad@x"]), rcpthosts=frozenset([b"ours.example"])), Client())
    found.sender, found.recipient = sender, recipient
    return found


def test_the_first_check_that_refuses_decides():
    assert refusal(AT_RCPT, facts(), FakeWorld()) is reply.BAD_MAIL_FROM
    assert refusal(AT_RCPT, facts(sender=b""), FakeWorld()) is reply.NO_GATEWAY
    assert refusal(AT_RCPT, facts(b"a@ours.example", b""), FakeWorld()) is None


def test_a_tuple_of_checks_is_asked_no_further_than_needed():
    asked = []

    def refuse(given, world):
        asked.append("first")
        return reply.SYNTAX

    def never(given, world):
        asked.append("second")

    assert refusal((refuse, never), facts(), None) is reply.SYNTAX
    assert asked == ["first"]
    assert refusal((), facts(), None) is None
    assert AT_MAIL


def test_the_order_is_the_one_in_the_manual():
    """aio: RCPT, DATA, End of DATA."""
    names = [check.__name__ for check in (*AT_RCPT, *AT_DATA, *AT_END)]
    wanted = ["may_relay", "answers_our_mail", "has_mailbox", "passes_program", "all_have_mailboxes", "few_hops", "within_limit", "free_of_viruses"]
    assert [name for name in names if name in wanted] == wanted
