"""The order of the checks."""

import pytest

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


def everything(**others):
    """A session with every list and switch on, and each of them against it."""
    lists = {f"{name}ext": [b"bad"] for name in ("badhelo", "badmailfrom", "badmailto", "badrmhost")}
    found = Facts(values(**{**lists, "helodnschkext": True, "badmailfrom": frozenset([b"bad@bad.example"]), "rcpthosts": frozenset(), "maxrecipients": 1, "databytes": 10,
                            "antispoofing": [b"bad.example: 10.0.0.1"], "mfcheck": 2, **others}), Client(b"192.0.2.7", b"bad.example"))
    found.helo, found.sender, found.claimed, found.recipient, found.size = b"bad.example", b"bad@bad.example", b"bad@bad.example", b"bad@far.example", 100
    found.accept_recipient(b"x")
    return found


@pytest.mark.parametrize(("checks", "steps"), [
    (AT_MAIL, [(reply.TOO_BIG, {"databytes": 0}), (reply.FOREIGN_SENDER, {"antispoofing": None}), (reply.NO_SENDER_DOMAIN, {"mfcheck": 0})]),
    (AT_RCPT, [(reply.TOO_MANY, {"maxrecipients": 0}), (None, {"badrmhostext": None}), (reply.BAD_HELO, {"badheloext": None}), (reply.UNKNOWN_HELO, {"helodnschkext": False}),
               (reply.BAD_MAIL_FROM, {"badmailfrom": None}), (reply.BAD_SENDER, {"badmailfromext": None}), (reply.BAD_RECIPIENT, {"badmailtoext": None}),
               (reply.NO_GATEWAY, {"rcpthosts": None})]),
])
def test_the_order_of_all_checks(checks, steps):
    """Each one decides as soon as those before it are switched off."""
    off = {}
    for wanted, switch in steps:
        found = refusal(checks, everything(**off), FakeWorld())
        assert found is wanted or (wanted is None and found.lines[0].startswith(b"sorry, your host"))
        off |= switch
    assert refusal(checks, everything(**off), FakeWorld()) is None


def test_a_domain_that_does_not_exist_is_not_called_back():
    given, world = everything(databytes=0, antispoofing=None), FakeWorld()
    assert refusal(AT_MAIL, given, world) is reply.NO_SENDER_DOMAIN
    assert world.asked("call_back") == []


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
