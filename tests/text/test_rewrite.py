"""The header that is sent: completed addresses, added and removed fields, recipients."""

import pytest
from hypothesis import given, strategies

from qmailpy.text.header import Unparsable, plain, tokens
from qmailpy.text.rewrite import Author, Header, Hosts, one_line

HOSTS = Hosts(b"dh", b"dd.example", b"plus.example")
NOW, PID = 1795467600, 42
DATE = b"Date: 23 Nov 2026 21:00:00 -0000\n"
STAMP = b"Message-ID: <20261123210000.42.qmail@id.example>\n"
FROM = b"From: joe@h.example\n"


def author(**facts):
    who = Author(b"joe", b"h.example", None)
    for name, value in facts.items():
        setattr(who, name, value)
    return who


def sent(*lines, who=None, drop=(), lists=None):
    """(the header's fields, the Header) after these lines."""
    header = Header(HOSTS, who or author(), drop=drop)
    for line in lines:
        header.take(line)
    return header.fields(NOW, PID, b"id.example", lists), header


@pytest.mark.parametrize(("given_", "expected"), [
    (b"a", b"a@dh.dd.example"),
    (b"a@b", b"a@b.dd.example"),
    (b"a@b.c", b"a@b.c"),
    (b"a@b+", b"a@b.plus.example"),
    (b"a@b.c+", b"a@b.c.plus.example"),
    (b"a+", b"a+@dh.dd.example"),
    (b"a.b", b"a.b@dh.dd.example"),
    (b"a@[1.2.3.4]", b"a@[1.2.3.4]"),
    (b"a@[]", b"a@[]"),
    (b"@x,@y:a@b.c", b"a@b.c"),
    (b"@x:", b""),
    (b"@x", b""),
    (b"", b""),
    (b".", b""),
    (b"a@", b"a@dh.dd.example"),
    (b"a@b.", b"a@b.dd.example"),
    (b"a@b@c", b"a@b@c.dd.example"),
    (b'"a+"', b"a+@dh.dd.example"),
])
def test_addresses_are_completed(given_, expected):
    assert plain(HOSTS.complete(tokens(given_))) == expected


@given(strategies.binary(max_size=40))
def test_whatever_is_completed_has_a_host_and_no_line_break(text):
    try:
        found = plain(HOSTS.complete(tokens(text)))
    except Unparsable:
        return
    assert found == b"" or b"@" in found
    assert not set(found) & set(b"\r\n\0")


def test_a_default_host_that_makes_no_sense_is_refused():
    with pytest.raises(Unparsable) as caught:
        Hosts(b"dh", b"(open", b"p")
    assert caught.value.args[0] == b".(open"


def test_missing_fields_are_added_at_the_top():
    assert sent(b"Subject: x\n", b"To: a@b.c\n")[0] == DATE + STAMP + FROM + b"Subject: x\nTo: a@b.c\n"


def test_fields_that_are_there_are_left_where_they_are():
    lines = (b"to: a@b.c\n", b"FROM: s@t.u\n", b"message-id: <1>\n", b"Date: today\n")
    assert sent(*lines)[0] == b"".join(lines)


def test_without_to_and_cc():
    text, header = sent(b"Bcc: a@b.c\n")
    assert text == DATE + STAMP + FROM + b"Cc: recipient list not shown: ;\n"
    assert header.recipients() == [b"a@b.c"]


def test_recipients_come_from_the_four_fields_and_each_from_right_to_left():
    header = sent(b"To: a, b\n", b"Cc: c\n", b"Bcc: d, e\n", b"Apparently-To: f\n", b"Reply-To: g\n")[1]
    assert [address[:1] for address in header.recipients()] == [b"b", b"a", b"c", b"e", b"d", b"f"]


def test_a_resent_message_has_recipients_and_fields_of_its_own():
    text, header = sent(b"To: a@b.c\n", b"Resent-To: r@s.t\n", b"Resent-Bcc: u@v.w\n")
    assert header.recipients() == [b"r@s.t", b"u@v.w"]
    assert text == b"Resent-" + DATE + b"Resent-" + STAMP + b"Resent-" + FROM + b"To: a@b.c\nResent-To: r@s.t\n"


@pytest.mark.parametrize("name", [b"Resent-Sender", b"Resent-From", b"Resent-Reply-To", b"Resent-Date", b"Resent-Message-ID", b"Resent-Cc", b"Resent-Bcc"])
def test_each_of_these_makes_a_message_resent(name):
    text, header = sent(b"To: a@b.c\n", name + b": x@y.z\n")
    assert header.resent
    assert b"\nDate:" not in text and not text.startswith(b"Date:")


def test_the_sender_is_the_author():
    header = sent()[1]
    assert header.envelope_sender() == b"joe@h.example"


def test_a_sender_with_special_characters_is_not_quoted_in_the_envelope():
    who = author(user=b"a b", sender_user=b"a b")
    text, header = sent(who=who)
    assert b'From: "a b"@h.example\n' in text
    assert header.envelope_sender() == b"a b@h.example"


def test_return_path_gives_the_sender_and_goes():
    text, header = sent(b"Return-Path: <s@t>\n", b"Return-Path: <u@v.w>\n", b"To: a@b.c\n")
    assert header.envelope_sender() == b"s@t.dd.example"
    assert b"Return-Path" not in text


def test_an_empty_return_path_is_the_empty_sender_but_a_field_without_content_is_none():
    assert sent(b"Return-Path: <>\n")[1].envelope_sender() == b""
    assert sent(b"Return-Path:\n")[1].envelope_sender() == b"joe@h.example"


def test_variable_senders():
    assert sent(who=author(verp=True))[1].envelope_sender() == b"joe-@h.example-@[]"
    assert sent(who=author(mark=b"-1.2"))[1].envelope_sender() == b"joe-1.2@h.example"
    assert sent(who=author(mark=b"-1.2", verp=True))[1].envelope_sender() == b"joe-1.2-@h.example-@[]"
    assert sent(b"Return-Path: s@t.u\n", who=author(mark=b"-1.2", verp=True))[1].envelope_sender() == b"s@t.u-@[]"


def test_names():
    assert b'From: "J \\"Q\\" D" <joe@h.example>\n' in sent(who=author(name=b'J "Q" D'))[0]
    assert b"From: joe@h.example (J D)\n" in sent(who=author(name=b"J D", commented=True))[0]


def test_dropped_fields_are_not_seen():
    text, header = sent(b"From: x\n", b"Message-ID: <1>\n", b"Return-Path: r\n", drop={b"from", b"message-id", b"return-path"})
    assert text.startswith(DATE + STAMP + FROM)
    assert header.envelope_sender() == b"joe@h.example"


def test_content_length_goes():
    assert b"Content-Length" not in sent(b"Content-Length: 5\n")[0]


def test_sender_fields_are_rewritten_others_are_not():
    text = sent(b"Sender: a\n", b"Reply-To: b\n", b"Errors-To: c\n", b"Return-Receipt-To: d\n", b"X-To: e\n")[0]
    for line in (b"Sender: a@dh.dd.example\n", b"Reply-To: b@dh.dd.example\n", b"Errors-To: c@dh.dd.example\n",
                 b"Return-Receipt-To: d@dh.dd.example\n", b"X-To: e\n"):
        assert line in text


@pytest.mark.parametrize("name", [b"From", b"Sender", b"Reply-To", b"Return-Path"])
def test_a_sender_field_that_makes_no_sense_is_refused_with_the_line(name):
    with pytest.raises(Unparsable) as caught:
        sent(name + b": a (open\n")
    assert caught.value.args[0] == name + b": a (open\n"


def test_a_recipient_field_that_makes_no_sense_stays_but_recipients_are_not_known():
    text, header = sent(b"To: a (open\n", b"Cc: b@c.d\n")
    assert b"To: a (open\n" in text
    with pytest.raises(Unparsable) as caught:
        header.recipients()
    assert caught.value.args[0] == b"To: a (open\n"


def test_a_bad_to_does_not_matter_in_a_resent_message():
    assert sent(b"To: a (open\n", b"Resent-To: b@c.d\n")[1].recipients() == [b"b@c.d"]


def test_mail_followup_to():
    lines = (b"To: LIST@x.example, joe\n", b'Cc: "a b"@c.example\n', b"Bcc: hidden@d.example\n")
    text = sent(*lines, lists={b"list@x.example"})[0]
    assert b'Mail-Followup-To: "a b"@c.example,\n  LIST@x.example,\n  joe@dh.dd.example\n' in text
    assert b"Mail-Followup-To" not in sent(*lines, lists={b"other@x.example"})[0]
    assert b"Mail-Followup-To" not in sent(*lines)[0]
    assert b"Mail-Followup-To" not in sent(*lines, b"Resent-To: x@y.z\n", lists={b"list@x.example"})[0]
    assert sent(*lines, b"Mail-Followup-To: z\n", lists={b"list@x.example"})[0].count(b"Mail-Followup-To") == 1


def test_line_breaks_become_blanks():
    assert one_line(b"a\r\nb\nc") == b"a  b c"


BROKEN = b"x\nBcc: evil@e.example\r\nX: "


@pytest.mark.parametrize("facts", [
    {"name": BROKEN}, {"name": BROKEN, "commented": True}, {"user": BROKEN}, {"host": b"h\nX"}, {"sender_user": BROKEN}, {"sender_host": b"h\nX"}])
def test_nothing_that_the_author_is_called_begins_a_line(facts):
    header = Header(HOSTS, author(**facts))
    text = header.fields(NOW, PID, b"id\nX: y", None)
    assert [line.partition(b":")[0] for line in text.split(b"\n")[:-1]] == [b"Date", b"Message-ID", b"From", b"Cc"]
    assert not set(header.envelope_sender()) & set(b"\r\n")


@given(strategies.lists(strategies.binary(max_size=30).filter(lambda text: b"\n" not in text), max_size=4), strategies.sampled_from(
    [b"To", b"Cc", b"Bcc", b"From", b"Return-Path", b"Resent-To", b"Subject"]))
def test_any_content_gives_a_header_or_is_refused(contents, name):
    try:
        text, header = sent(*(name + b": " + content + b"\n" for content in contents))
        recipients = header.recipients()
    except Unparsable:
        return
    assert text.endswith(b"\n")
    assert not any(set(address) & set(b"\r\n\0") for address in [*recipients, header.envelope_sender()])
