"""What bounces say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.send import bounce
from qmailpy.send.bounce import STRIPPED, Postmark, cut, paragraph

MARK = Postmark(b"MAILER-DAEMON", b"mx.example", b"postmaster@mx.example")


@pytest.mark.parametrize(("report", "text"), [
    (b"no\n", b"<r@x>:\nno\n\n"), (b"no", b"<r@x>:\nno\n\n"), (b"", b"<r@x>:\n\n"), (b"a\n\n\nb\n", b"<r@x>:\na\n//b\n\n"), (b"\n\n", b"<r@x>:\n/\n\n"),
    (b"a\n\nb", b"<r@x>:\na\n/b\n\n"),
])
def test_paragraphs(report, text):
    assert paragraph(b"r@x", report) == text


@given(st.text("a\n", max_size=12).map(str.encode), st.binary(max_size=5))
def test_a_paragraph_holds_no_empty_line_before_its_end(report, recipient):
    text = paragraph(recipient, report)
    assert text.endswith(b"\n\n")
    assert b"\n\n" not in text[:-2]
    assert text.startswith(b"<" + recipient.replace(b"\n", b"_") + b">:\n")


def test_a_bounce():
    text = bounce.head(b"a b@x.example", MARK, 1000000000)
    assert text == (b'Date: 9 Sep 2001 01:46:40 -0000\nFrom: MAILER-DAEMON@mx.example\nTo: "a b"@x.example\nSubject: failure notice\n\n'
                    b"Hi. This is the qmail-send program at mx.example.\n"
                    b"I'm afraid I wasn't able to deliver your message to the following addresses.\n"
                    b"This is a permanent error; I've given up. Sorry it didn't work out.\n\n")
    assert bounce.middle(b"a b@x.example") == b'--- Below this line is a copy of the message.\n\nReturn-Path: <"a b"@x.example>\n'
    assert bounce.addresses(b"a@x", MARK) == (b"", b"a@x")


def test_a_double_bounce():
    assert b"but the bounce bounced!" in bounce.head(b"", MARK, 0)
    assert b"\nTo: postmaster@mx.example\n" in bounce.head(b"", MARK, 0)
    assert bounce.middle(b"").startswith(b"--- Below this line is the original bounce.\n\nReturn-Path: <>\n")
    assert bounce.addresses(b"", MARK) == (b"#@[]", b"postmaster@mx.example")


def test_senders():
    assert bounce.plain_sender(b"l-owner-@h-@[]") == b"l-owner-@h"
    assert bounce.plain_sender(b"#@[]") == b"#@[]"


# aio: bouncemaxbytes
@pytest.mark.parametrize(("limit", "size", "kept"), [(50000, 60000, 50000), (50000, 50000, None), (100, 101, 100), (100, 100, None), (0, 1 << 20, None), (100, 0, None)])
@pytest.mark.parametrize("block", [1, 100, 65536])
def test_how_much_of_the_original_is_copied(limit, size, kept, block):
    message = bytes(range(256)) * (size // 256) + bytes(size % 256)
    copy = b"".join(cut((message[at:at + block] for at in range(0, size, block)), limit))
    assert copy == (message if kept is None else message[:kept] + b"\n\n--- End of message stripped.\n")


@given(st.binary(max_size=30), st.integers(1, 20), st.integers(1, 40))
def test_a_cut_message_is_its_beginning_and_the_note(message, block, limit):
    copy = b"".join(cut((message[at:at + block] for at in range(0, len(message), block)), limit))
    assert copy == (message[:limit] + STRIPPED if len(message) > limit else message)


def test_what_is_not_copied_is_not_read():
    blocks = iter([b"x" * 10] * 100)
    assert b"".join(cut(blocks, 15)) == b"x" * 15 + STRIPPED
    assert len(list(blocks)) == 98


def test_odd_users_are_quoted():
    assert b'\nFrom: "a b"@mx\n' in bounce.head(b"x", Postmark(b"a b", b"mx", b""), 0)
