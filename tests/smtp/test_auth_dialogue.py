"""AUTH in a session: order of refusals, what follows a verdict, exchanges that break off, and that chunking changes nothing."""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.smtp.facts import Secured
from qmailpy.settings.table import SETTINGS
from qmailpy.smtp.server import Session
from qmailpy.text.received import Client
from tests.dialogue import play
from tests.smtp.world import FakeWorld, values

BOB = b"bob\0secret\0\0"
PLAIN = "AUTH PLAIN AGJvYgBzZWNyZXQ="


def session(world=None, relay=None, tls=None, **given):
    """A session of a server with AUTH."""
    given = {"smtpgreeting": b"mx.example", "rcpthosts": frozenset([b"ours.example"]), **given}
    one = Session(values(**given), Client(b"192.0.2.7", b"client.example"), world or FakeWorld(passwords={BOB: True}), relay, auth_host=b"mx.example.org")
    one.facts.tls = tls
    return one


def run(data, world=None, **given):
    """(what is heard after the greeting, the session) after a client has said everything at once."""
    one = session(world, **given)
    return b"".join(one.feed(data)).decode().splitlines(), one


def test_a_user_may_relay_and_stands_in_received():
    world = FakeWorld(passwords={BOB: True})
    play(lambda: session(world), f"""
        S: 220 mx.example ESMTP
        C: EHLO x
        S: 250-mx.example
        S: 250-AUTH LOGIN CRAM-MD5 PLAIN
        S: 250-AUTH=LOGIN CRAM-MD5 PLAIN
        S: 250-PIPELINING
        S: 250-SIZE 0
        S: 250 8BITMIME
        C: {PLAIN}
        S: 235 ok, go ahead (#2.0.0)
        C: {PLAIN}
        S: 503 you're already authenticated (#5.5.0)
        C: RSET
        S: 250 flushed
        C: EHLO x
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250-SIZE 0
        S: 250 8BITMIME
        C: MAIL FROM:<a@b.example>
        S: 250 ok
        C: RCPT TO:<c@theirs.example>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        C: .
        S: 250 ok 1000000000 qp 77
    """)
    assert world.queued[0][2].startswith(b"Received: from client.example (HELO x) (bob@192.0.2.7)\n  by unknown with ESMTPA; ")
    assert world.done[:3] == [("check", BOB), ("log", b"warning: AUTH in clear from 192.0.2.7; with secauthext it needs TLS"), ("introduce", (b"", b"bob"))]


def test_in_tls_nobody_is_warned():
    world = FakeWorld(passwords={BOB: True})
    _, one = run(PLAIN.encode() + b"\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n.\r\n", world, tls=Secured(b"TLS_X"))
    assert world.done == [("check", BOB), ("introduce", (b"", b"bob"))]
    assert b" with ESMTPSA (TLS_X encrypted, authenticated); " in world.queued[0][2]
    assert one.facts.user == b"bob"


@pytest.mark.parametrize(("said", "heard"), [
    ("AUTH", "504 auth type unimplemented (#5.5.1)"),
    ("AUTH DIGEST-MD5", "504 auth type unimplemented (#5.5.1)"),
    ("AUTH PLAIN =", "501 malformed auth input (#5.5.4)"),
    ("AUTH CRAM-MD5 Ym9i", "501 malformed auth input (#5.5.4)"),
    ("auth plain   AGJvYgBzZWNyZXQ= ", "235 ok, go ahead (#2.0.0)"),
    ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
    ("AUTH PLAIN", "334 "),
    ("AUTH CRAM-MD5", "334 " + b64encode(b"<1234.1218446400@mx.example.org>").decode()),
])
def test_the_first_answer(said, heard):
    assert run(said.encode() + b"\r\n")[0] == [heard]


@pytest.mark.parametrize(("more", "said", "heard"), [
    ({"auth_host": None}, PLAIN, "503 auth not available (#5.3.3)"),
    ({"auth_host": None}, "MAIL FROM:<>\r\n" + PLAIN, "503 auth not available (#5.3.3)"),
    ({}, f"{PLAIN}\r\nMAIL FROM:<>\r\n{PLAIN}", "503 you're already authenticated (#5.5.0)"),
    ({}, "MAIL FROM:<>\r\nAUTH NONE", "503 no auth during mail transaction (#5.5.0)"),
    ({"secauthext": True}, "MAIL FROM:<>\r\n" + PLAIN, "503 no auth during mail transaction (#5.5.0)"),
    ({"secauthext": True}, "AUTH NONE", "538 auth not available without TLS (#5.3.3)"),
])
def test_the_order_of_refusals(more, said, heard):
    one = session(**{name: value for name, value in more.items() if name != "auth_host"})
    one.auth_host = more.get("auth_host", one.auth_host)
    assert b"".join(one.feed(said.encode() + b"\r\n")).decode().splitlines()[-1] == heard


@pytest.mark.parametrize(("setting", "relay", "tls", "allowed"), [
    ({}, None, None, True), ({}, b"", None, True),
    ({"secauthext": True}, None, None, False), ({"secauthext": True}, b"", None, True), ({"secauthext": True}, None, Secured(), True),
    ({"secauthint": True}, None, None, True), ({"secauthint": True}, b"", None, False), ({"secauthint": True}, b"", Secured(), True),
])
def test_passwords_only_in_tls(setting, relay, tls, allowed):
    heard, one = run(f"EHLO x\r\n{PLAIN}\r\n".encode(), relay=relay, tls=tls, **setting)
    assert ("250-AUTH LOGIN CRAM-MD5 PLAIN" in heard) == allowed
    assert heard[-1][:3] == ("235" if allowed else "538")
    assert (("check", BOB) in one.world.done) == allowed


@pytest.mark.parametrize(("passwords", "heard", "told"), [
    ({BOB: False}, "535 authorization failed (#5.7.0)", [("check", BOB), ("pause", 7)]),
    ({}, "454 oops, problem with child and I can't auth (#4.3.0)", [("check", BOB)]),
])
def test_who_is_not_let_in(passwords, heard, told):
    world = FakeWorld(passwords=passwords)
    said, one = run(f"{PLAIN}\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n".encode(), world, authfaildelay=7)
    assert said[0] == heard
    assert said[-1].startswith("553 ")
    assert world.done == told
    assert one.facts.user is None


@pytest.mark.parametrize(("said", "heard"), [
    (["AUTH LOGIN", "*"], ["334 VXNlcm5hbWU6", "501 auth exchange cancelled (#5.0.0)"]),
    (["AUTH LOGIN", "Ym9i", "*"], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "501 auth exchange cancelled (#5.0.0)"]),
    (["AUTH LOGIN", "Ym9i", "c2VjcmV0"], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok, go ahead (#2.0.0)"]),
    (["AUTH LOGIN", "Ym9i", "?"], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "501 malformed auth input (#5.5.4)"]),
    (["AUTH LOGIN", ""], ["334 VXNlcm5hbWU6", "501 malformed auth input (#5.5.4)"]),
    (["AUTH PLAIN", "A" * (SETTINGS["maxline"].default + 1)], ["334 ", "500 line too long (#5.5.2)"]),
    (["AUTH PLAIN", "A" * 8192], ["334 ", "501 malformed auth input (#5.5.4)"]),
    (["AUTH PLAIN " + "A" * 8180], ["501 malformed auth input (#5.5.4)"]),
    (["AUTH PLAIN", "QUIT"], ["334 ", "501 malformed auth input (#5.5.4)"]),
])
def test_exchanges_that_end(said, heard):
    """And the session goes on behind them."""
    lines, one = run("\r\n".join([*said, "NOOP", ""]).encode())
    assert lines == [*heard, "250 ok"]
    assert one.exchange is None


def test_line_ends_of_both_kinds():
    assert run(b"AUTH LOGIN\nYm9i\nc2VjcmV0\n")[0][-1] == "235 ok, go ahead (#2.0.0)"


PIECES = st.sampled_from([b"AUTH LOGIN\r\n", b"AUTH PLAIN\r\n", b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n", b"AUTH CRAM-MD5\r\n", b"AUTH ", b"Ym9i\r\n", b"c2VjcmV0\r\n", b"*\r\n",
                          b"=\r\n", b"\r\n", b"\n", b"NOOP\r\n", b"EHLO x\r\n", b"MAIL FROM:<>\r\n", b"RSET\r\n", b"QUIT\r\n", b"\0", b"\xff", b"A" * 13000])


@settings(deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=10)), max_size=12).map(b"".join), st.integers(1, 40))
def test_whole_and_in_pieces_it_is_the_same(data, step):
    def heard(size):
        world = FakeWorld(passwords={BOB: True})
        one = session(world)
        said = b"".join(reply for at in range(0, len(data), size) if one.closing is None for reply in one.feed(data[at:at + size]))
        return said, one.closing, one.facts.user, world.done

    whole, pieces = heard(1 << 20), heard(step)
    assert whole == pieces
    assert b"secret" not in whole[0].replace(b"c2VjcmV0", b"")
    assert not any(b"secret" in line for what, line in whole[3] if what == "log")
