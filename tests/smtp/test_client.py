"""The sending side: replies, the message on the wire, the dialogue."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.smtp.client import (
    NEVER, OFFERED, ON, REPLY_LIMIT, REQUIRED, TEXT_LIMIT, Account, Body, PartialLine, Plan, Reply, ReplyReader, StartTls, Stuffer, TooLong, Verdict, dialogue, extensions,
    may_go_elsewhere,
)
from qmailpy.smtp.data import DataReader
from qmailpy.smtp.login_client import Login

CHUNKS = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\n.\n", b"\r.\r", b".\r\n", b"\0", b"\xff"]), max_size=20)


def wire(blocks):
    stuffer = Stuffer()
    return b"".join([stuffer.feed(block) for block in blocks]) + stuffer.finish()


@settings(max_examples=1000, deadline=None)
@given(CHUNKS)
def test_a_strict_receiver_gets_the_body_back_and_nothing_more(chunks):
    body = b"".join(chunks).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if body and not body.endswith(b"\n"):
        with pytest.raises(PartialLine):
            wire(chunks)
        return
    sent = wire(chunks)
    reader = DataReader()
    assert reader.feed(sent) == body
    assert reader.over and reader.rest == b""
    assert sent.replace(b"\r\n", b"").count(b"\r") == sent.replace(b"\r\n", b"").count(b"\n") == 0
    assert all(line == b"." or not line.startswith(b".") or line.startswith(b"..") for line in sent.split(b"\r\n"))
    assert sent.split(b"\r\n").count(b".") == 1


@given(CHUNKS, st.integers(1, 5))
def test_block_boundaries_change_nothing(chunks, size):
    body = b"".join(chunks) + b"\n"
    assert wire([body[at:at + size] for at in range(0, len(body), size)]) == wire([body])


@pytest.mark.parametrize(("said", "code", "text"), [
    (b"220 hi\r\n", 220, b"220 hi\n"), (b"250-a\r\n250-b\r\n250 c\r\n", 250, b"250-a\n250-b\n250 c\n"), (b"250\r\n", 250, b"250\n"),
    (b"hello\r\n", 400, b"hello\n"), (b"\n", 400, b"\n"), (b"550 a\0b\n", 550, b"550 a?b\n"), (b"99 x\r\n", 400, b"99 x\n"),
])
@pytest.mark.parametrize("step", [1000, 1])
def test_replies(said, code, text, step):
    reader = ReplyReader()
    assert reader.next_reply() is None
    for at in range(0, len(said), step):
        reader.feed(said[at:at + step])
    reply = reader.next_reply()
    assert (reply.code, reply.text) == (code, text)
    assert reader.next_reply() is None


def test_several_replies_and_long_ones():
    reader = ReplyReader()
    reader.feed(b"250 a\r\n550 b\r\n")
    assert [reader.next_reply().code, reader.next_reply().code] == [250, 550]
    reader.feed(b"250 " + b"x" * 9000 + b"\r\n")
    assert len(reader.next_reply().text) == TEXT_LIMIT
    with pytest.raises(TooLong):
        for _ in range(REPLY_LIMIT // 5000 + 2):
            reader.feed(b"250-" + b"x" * 5000 + b"\r\n")
            reader.next_reply()


def talk(replies, recipients=(b"r@x",), **plan):
    """(what was sent, what was told of recipients, the verdict) with these replies in turn."""
    account, sent = Account(), []
    steps = dialogue(Plan(b"me", b"s@y", recipients, **plan), account)
    step = next(steps)
    assert step == b""
    reader = ReplyReader()
    for reply in replies:
        reader.feed(reply)
        try:
            step = steps.send(reader.next_reply())
        except StopIteration as end:
            return sent, [word for word, _ in account.recipients], end.value
        sent.append("BODY" if isinstance(step, Body) else "STARTTLS" if isinstance(step, StartTls) else step)
    raise AssertionError("it goes on")


GOOD = [b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n"]


def test_a_message_is_sent():
    sent, told, verdict = talk([*GOOD, b"250 ok\r\n", b"354 go\r\n", b"250 done\r\n"])
    assert sent == [b"EHLO me\r\n", b"MAIL FROM:<s@y>\r\n", b"RCPT TO:<r@x>\r\n", b"DATA\r\n", "BODY"]
    assert (told, verdict.letter, verdict.after, verdict.reply.text) == (["r"], "K", " accepted message", b"250 done\n")


@pytest.mark.parametrize(("replies", "letter", "after"), [
    ([b"421 no\r\n"], "Z", " but greeting failed"), ([b"220 x\r\n", b"421 x\r\n"], "Z", " but my name was rejected"),
    ([b"220 x\r\n", b"500 what\r\n", b"550 x\r\n"], "Z", " but my name was rejected"),
    ([*GOOD[:2], b"450 x\r\n"], "Z", " but sender was rejected"), ([*GOOD[:2], b"550 x\r\n"], "D", " but sender was rejected"),
    ([*GOOD, b"550 x\r\n"], "D", ""), ([*GOOD, b"450 x\r\n"], "D", ""), ([*GOOD, b"250 x\r\n", b"554 x\r\n"], "D", " failed on DATA command"),
    ([*GOOD, b"250 x\r\n", b"354 x\r\n", b"451 x\r\n"], "Z", " failed after I sent the message"),
    ([*GOOD, b"250 x\r\n", b"354 x\r\n", b"garbage\r\n"], "Z", " failed after I sent the message"),
])
def test_refusals(replies, letter, after):
    _, _, verdict = talk(replies)
    assert (verdict.letter, verdict.after) == (letter, after)


def test_helo_after_a_refused_ehlo_and_recipients_of_each_kind():
    sent, told, verdict = talk([b"220 x\r\n", b"502 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"450 x\r\n", b"550 x\r\n", b"354 x\r\n", b"250 x\r\n"],
                               (b"a", b"b", b"c"))
    assert sent[:2] == [b"EHLO me\r\n", b"HELO me\r\n"]
    assert (told, verdict.letter) == (["r", "s", "h"], "K")


HELLO, PEM = b"250-x\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n", {"demand": "control/tlshosts/x.pem"}
REST = [b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 done\r\n"]
EHLO = b"EHLO me\r\n"


@pytest.mark.parametrize(("tls", "hello", "sent"), [
    (NEVER, [HELLO], [EHLO]), (OFFERED, [GOOD[1]], [EHLO]), (OFFERED, [HELLO, b"220 go\r\n", GOOD[1]], [EHLO, "STARTTLS", EHLO]),
    (OFFERED, [HELLO, b"454 later\r\n"], [EHLO, "STARTTLS"]), (OFFERED, [HELLO, b"502 what\r\n"], [EHLO, "STARTTLS"]), (ON, [HELLO], [EHLO]),
    (REQUIRED, [HELLO, b"220 go\r\n", GOOD[1]], [EHLO, "STARTTLS", EHLO]), (OFFERED, [HELLO, b"220 go\r\n", b"502 x\r\n", b"250 x\r\n"], [EHLO, "STARTTLS", EHLO, b"HELO me\r\n"]),
    (OFFERED, [b"502 x\r\n", b"250 x\r\n"], [EHLO, b"HELO me\r\n"]),
])
def test_starttls(tls, hello, sent):
    said, _, verdict = talk([GOOD[0], *hello, *REST], tls=tls, **PEM)
    assert (said, verdict.letter) == ([*sent, b"MAIL FROM:<s@y>\r\n", b"RCPT TO:<r@x>\r\n", b"DATA\r\n", "BODY"], "K")


@pytest.mark.parametrize(("hello", "before"), [
    ([GOOD[1]], "No TLS achieved while control/tlshosts/x.pem exists; connecting to "), ([b"502 x\r\n", b"250 x\r\n"], "No TLS achieved while control/tlshosts/x.pem exists; connecting to "),
    ([HELLO, b"454 x\r\n"], "STARTTLS rejected while control/tlshosts/x.pem exists; connecting to "), ([HELLO, b"502 x\r\n"], "STARTTLS rejected while control/tlshosts/x.pem exists; connecting to "),
])
def test_required_tls_is_never_done_without(hello, before):
    sent, _, verdict = talk([GOOD[0], *hello], tls=REQUIRED, **PEM)
    assert (verdict.letter, verdict.before, verdict.after) == ("Z", before, "")
    assert not any(isinstance(step, bytes) and step.startswith(b"MAIL") for step in sent)


def test_a_name_that_is_refused_within_tls():
    _, _, verdict = talk([GOOD[0], HELLO, b"220 go\r\n", b"450 x\r\n"], tls=OFFERED)
    assert (verdict.letter, verdict.after) == ("Z", " but my name was rejected")


ACCOUNT = {"login": Login(b"u", b"p")}
AUTH, WELCOME = [b"AUTH LOGIN\r\n", b"dQ==\r\n", b"cA==\r\n"], [b"334 \r\n", b"334 \r\n", b"235 ok\r\n"]


@pytest.mark.parametrize(("tls", "hello", "sent"), [
    (NEVER, [HELLO], [EHLO]), (ON, [HELLO], [EHLO]), (OFFERED, [HELLO, b"220 go\r\n", HELLO], [EHLO, "STARTTLS", EHLO]), (OFFERED, [HELLO, b"454 no\r\n"], [EHLO, "STARTTLS"]),
])
def test_a_login_comes_after_tls_and_before_mail(tls, hello, sent):
    said, _, verdict = talk([GOOD[0], *hello, *WELCOME, *REST], tls=tls, **ACCOUNT)
    assert (said[:len(sent) + 4], verdict.letter) == ([*sent, *AUTH, b"MAIL FROM:<s@y>\r\n"], "K")


def test_only_what_the_last_ehlo_offers_counts():
    said, _, verdict = talk([GOOD[0], HELLO, b"220 go\r\n", GOOD[1], *REST], tls=OFFERED, **ACCOUNT)
    assert (said[3], verdict.letter) == (b"MAIL FROM:<s@y>\r\n", "K")


@pytest.mark.parametrize(("tls", "hello"), [(NEVER, [HELLO]), (OFFERED, [GOOD[1]]), (OFFERED, [HELLO, b"454 no\r\n"])])
def test_a_login_that_must_not_go_in_clear_does_not(tls, hello):
    sent, _, verdict = talk([GOOD[0], *hello], tls=tls, no_clear="TLS is required before authentication", **ACCOUNT)
    assert (verdict.letter, verdict.before, verdict.after) == ("Z", "Connected to ", " but TLS is required before authentication")
    assert set(sent) <= {EHLO, "STARTTLS"}


@pytest.mark.parametrize(("tls", "hello"), [(ON, [HELLO]), (REQUIRED, [HELLO, b"220 go\r\n", HELLO])])
def test_within_tls_it_may(tls, hello):
    _, _, verdict = talk([GOOD[0], *hello, *WELCOME, *REST], tls=tls, no_clear="no", **PEM, **ACCOUNT)
    assert verdict.letter == "K"


@pytest.mark.parametrize("code", [b"535", b"454"])
def test_a_login_that_is_refused_is_tried_again_later(code):
    _, _, verdict = talk([GOOD[0], HELLO, b"334 \r\n", b"334 \r\n", code + b" no\r\n"], **ACCOUNT)
    assert (verdict.letter, verdict.before, verdict.after, verdict.reply.code) == ("Z", "Connected to ", " but authentication was rejected (password)", int(code))


@pytest.mark.parametrize(("text", "found"), [
    (b"250 x\n", {}), (b"250-STARTTLS\n250 SIZE\n", {b"SIZE": set()}), (b"250-x\n250-starttls\n250-Auth Login plain\n250 AUTH=CRAM-MD5\n", {b"STARTTLS": set(), b"AUTH": {b"LOGIN", b"PLAIN", b"CRAM-MD5"}}),
    (b"250-x\n250-\n250 SIZE 7\n", {b"": set(), b"SIZE": {b"7"}}), (b"250-x\n250 X AUTH=PLAIN\n", {b"X": {b"AUTH=PLAIN"}}),
])
def test_extensions(text, found):
    assert extensions(Reply(250, text)) == found


@pytest.mark.parametrize(("code", "words", "may"), [
    (421, "", True), (450, "r", True), (499, "", True), (500, "", False), (554, "", False), (250, "r", False), (None, "ss", True), (None, "sh", False), (None, "h", False), (None, "", False),
])
def test_another_server_may_be_asked_if_this_one_refused_for_now_and_took_nothing(code, words, may):
    account = Account()
    account.recipients = [(word, None) for word in words]
    assert may_go_elsewhere(Verdict("Z", "", "", None if code is None else Reply(code, b"x\n")), account) == may
