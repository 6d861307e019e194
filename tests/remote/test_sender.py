"""Which senders are signed."""

import pytest

from qmailpy.remote.sender import outgoing

ALICE, TAGGED = b"alice@example.org", b"prvs=01230d3ef5=alice@example.org"


@pytest.mark.parametrize(("sender", "recipient", "sent"), [
    (ALICE, b"r@far.example", TAGGED), (b"a=b@example.org", b"r@far.example", b"prvs=012314553c=a=b@example.org"), (b"", b"r@far.example", b""),
    (TAGGED, b"r@far.example", TAGGED), (b"prvs=x", b"r@far.example", b"prvs=x"), (ALICE, b"r@quiet.example", ALICE), (ALICE, b"r@QUIET.example", ALICE),
    (ALICE, b"r@sub.quiet.example", TAGGED), (b"a@own.example", b"r@far.example", b"a@own.example"), (b"a@OWN.example", b"r@far.example", b"a@OWN.example"),
    (ALICE, b"r@own.example", TAGGED), (b"sb*-alice@example.org", b"r@far.example", ALICE), (b"sb*-", b"r@far.example", b""), (b"#@[]", b"r@far.example", b"#@[]"),
])
def test_signing(sender, recipient, sent):
    assert outgoing(sender, recipient, b"secret", 20123, {b"quiet.example"}, {b"own.example"}) == sent


@pytest.mark.parametrize("sender", [ALICE, b"", b"sb*-alice@example.org"])
def test_without_a_key_senders_stay_as_they_are(sender):
    assert outgoing(sender, b"r@far.example", b"", 20123, (), ()) == sender


def test_a_sender_without_a_domain_is_signed():
    assert outgoing(b"root", b"r", b"secret", 20123, {b""}, {b""}).endswith(b"=root")
