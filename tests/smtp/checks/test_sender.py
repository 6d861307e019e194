"""control/badmailfrom."""

import pytest

from qmailpy.smtp.checks.sender import bad_mail_from
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import values


@pytest.mark.parametrize(("sender", "refused"), [
    (b"bad@x.example", True), (b"BAD@X.Example", True), (b"a@evil.example", True), (b"a@sub.evil.example", False), (b"worse", True),
    (b"good@x.example", False), (b"", False), (b"@evil.example", True), (b"evil.example", False),
])
def test_addresses_and_domains(sender, refused):
    facts = Facts(values(badmailfrom=frozenset([b"bad@x.example", b"@evil.example", b"worse"])), Client())
    facts.sender = sender
    reply = bad_mail_from(facts, None)
    assert (reply is not None) == refused
    if reply:
        assert reply.wire() == b"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n"
