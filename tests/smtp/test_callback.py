"""What a mail exchanger is asked, and what its answers mean."""

import pytest

from qmailpy.smtp import callback
from qmailpy.smtp.callback import dialogue
from qmailpy.smtp.client import Reply

ASKED = [b"", b"HELO mx.example\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<a@b.example>\r\n"]


def play(codes, address=b"a@b.example"):
    """(what was sent, the answer) if the exchanger replies with these codes in turn."""
    steps, sent = dialogue(b"mx.example", address), []
    try:
        sent.append(next(steps))
        for code in codes:
            sent.append(steps.send(Reply(code, b"%d text\n" % code)))
    except StopIteration as over:
        return sent, over.value
    raise AssertionError("it goes on")


@pytest.mark.parametrize(("codes", "verdict"), [
    ((220, 250, 250, 250), callback.KNOWN), ((220, 250, 250, 251), callback.KNOWN), ((220, 250, 250, 550), callback.UNKNOWN), ((220, 250, 250, 450), callback.LATER),
    ((220, 250, 250, 354), callback.LATER), ((220, 250, 550), callback.UNASKABLE), ((220, 250, 450), None), ((220, 550), None), ((220, 421), None), ((421,), None), ((554,), None),
])
def test_answers(codes, verdict):
    sent, answer = play(codes)
    assert sent == ASKED[:len(codes)]
    assert (answer and answer.verdict) == verdict
    assert answer is None or answer.reason == b"%d text\n" % codes[-1]


@pytest.mark.parametrize(("address", "path"), [
    (b"a b@c.example", b'"a b"@c.example'), (b'a"@c.example', b'"a\\""@c.example'), (b"a@b@c.example", b'"a@b"@c.example'), (b"root", b"root"),
])
def test_the_address_is_quoted_where_it_needs_it(address, path):
    assert play((220, 250, 250, 250), address)[0][-1] == b"RCPT TO:<" + path + b">\r\n"
