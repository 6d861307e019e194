"""STARTTLS in a session: who is offered it, what is forgotten, what was sent in clear behind it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.smtp.facts import Secured
from qmailpy.smtp.server import Session
from qmailpy.text.received import Client
from tests.dialogue import play
from tests.smtp.world import FakeWorld, values

BOB = b"bob\0secret\0\0"
READY = {"servercert_pem": True, "tlssmtpext": True, "tlssmtpint": True}


def session(world=None, relay=None, *, auth_host=b"mx.example.org", listener_tls=False, **given):
    """A session of a server with TLS and AUTH."""
    given = {"smtpgreeting": b"mx.example", "rcpthosts": frozenset([b"ours.example"]), **(given or READY)}
    world = world or FakeWorld(passwords={BOB: True}, tls=Secured(b"TLS_X"))
    client = Client(b"192.0.2.7", b"client.example", b"ident")
    return Session(values(**given), client, world, relay, auth_host=auth_host, listener_tls=listener_tls)


def test_a_session_with_tls():
    play(session, """
        S: 220 mx.example ESMTP
        C: EHLO x
        S: 250-mx.example
        S: 250-STARTTLS
        S: 250-AUTH LOGIN CRAM-MD5 PLAIN
        S: 250-AUTH=LOGIN CRAM-MD5 PLAIN
        S: 250-PIPELINING
        S: 250-SIZE 0
        S: 250 8BITMIME
        C: STARTTLS now
        S: 501 Syntax error (no parameters allowed) (#5.5.4)
        C: starttls
        S: 220 ready for tls
        C: EHLO x
        S: 250-mx.example
        S: 250-AUTH LOGIN CRAM-MD5 PLAIN
        S: 250-AUTH=LOGIN CRAM-MD5 PLAIN
        S: 250-PIPELINING
        S: 250-SIZE 0
        S: 250 8BITMIME
        C: STARTTLS
        S: 502 unimplemented (#5.5.1)
        C: QUIT
        S: 221 mx.example
    """)


@pytest.mark.parametrize(("given", "relay", "listener", "offered"), [
    ({"servercert_pem": True, "tlssmtpext": True}, None, False, True),
    ({"servercert_pem": True, "tlssmtpext": True}, b"", False, False),
    ({"servercert_pem": True, "tlssmtpint": True}, b"", False, True),
    ({"servercert_pem": True, "tlssmtpint": True}, None, False, False),
    ({"servercert_pem": True}, None, False, False),
    ({"tlssmtpext": True, "tlssmtpint": True}, None, False, False),
    ({"servercert_pem": True}, None, True, True),
    ({"tlssmtpext": False}, b"", True, True),
])
def test_who_is_offered_it(given, relay, listener, offered):
    one = session(relay=relay, listener_tls=listener, **given)
    heard = b"".join(one.feed(b"EHLO x\r\nSTARTTLS\r\n")).splitlines()
    assert (b"250-STARTTLS" in heard) == offered
    assert heard[-1] == (b"220 ready for tls" if offered else b"502 unimplemented (#5.5.1)")


def test_without_a_certificate_the_session_goes_on_in_clear():
    one = session(FakeWorld(no_tls="servercert.pem cannot be used: key values mismatch"))
    heard = b"".join(one.feed(b"STARTTLS\r\nNOOP\r\n")).splitlines()
    assert heard == [b"454 TLS missing certificate: servercert.pem cannot be used: key values mismatch (#4.3.0)", b"250 ok"]
    assert one.facts.tls is None


def test_after_a_failed_handshake_nothing_is_said_or_heard():
    world = FakeWorld(tls=None)
    one = session(world)
    assert b"".join(one.feed(b"STARTTLS\r\nNOOP\r\nMAIL FROM:<>\r\n")) == b"220 ready for tls\r\n"
    assert one.closing == 1
    assert b"".join(one.feed(b"NOOP\r\n")) == b""


def test_what_was_sent_behind_it_is_never_obeyed():
    one = session()
    heard = b"".join(one.feed(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<a@ours.example>\r\nDATA\r\nhalf"))
    assert heard == b"220 ready for tls\r\n"
    assert b"".join(one.feed(b" a line\r\nRCPT TO:<a@ours.example>\r\n")) == b"502 unimplemented (#5.5.1)\r\n503 MAIL first (#5.5.1)\r\n"


def test_what_was_said_before_is_forgotten():
    world = FakeWorld(passwords={BOB: True}, tls=Secured(b"TLS_X"))
    one = session(world)
    said = b"EHLO evil\r\nAUTH PLAIN AGJvYgBzZWNyZXQ=\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@theirs.example>\r\n"
    assert b"".join(one.feed(said)).endswith(b"250 ok\r\n250 ok\r\n")
    assert one.facts.client.info == b"bob"
    assert b"".join(one.feed(b"STARTTLS\r\n")) == b"220 ready for tls\r\n"
    facts = one.facts
    assert (facts.user, facts.helo, facts.relay, facts.client.info, facts.sender, facts.recipients) == (None, None, None, b"ident", None, [])
    assert world.done[-2:] == [("tls", world.tls), ("introduce", (None, b"ident"))]
    heard = b"".join(one.feed(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@theirs.example>\r\nRCPT TO:<c@ours.example>\r\nDATA\r\n.\r\n")).splitlines()
    assert [line[:3] for line in heard] == [b"250", b"553", b"250", b"354", b"250"]
    assert world.queued[0][2].startswith(b"Received: from client.example (ident@192.0.2.7)\n  by unknown with ESMTPS (TLS_X encrypted); ")


def test_a_relay_client_stays_one():
    one = session(relay=b".gw")
    b"".join(one.feed(b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n"))
    assert one.facts.relay == b""
    b"".join(one.feed(b"STARTTLS\r\n"))
    assert one.facts.relay == b".gw"


def test_auth_in_tls_is_not_forgotten():
    world = FakeWorld(passwords={BOB: True}, tls=Secured(b"TLS_X"))
    one = session(world)
    for said in (b"STARTTLS\r\n", b"EHLO x\r\n", b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n", b"HELO x\r\n", b"MAIL FROM:<>\r\nRCPT TO:<a@theirs.example>\r\nDATA\r\n.\r\n"):
        heard = b"".join(one.feed(said))
    assert heard.splitlines()[-1].startswith(b"250 ok")
    assert b"(bob@192.0.2.7)\n  by unknown with ESMTPSA (TLS_X encrypted, authenticated); " in world.queued[0][2]


@pytest.mark.parametrize(("tls", "words"), [(Secured(b"X"), b"ESMTPS (X encrypted)"), (Secured(), b"ESMTPS (encrypted)")])
def test_received(tls, words):
    world = FakeWorld(tls=tls)
    one = session(world)
    b"".join(one.feed(b"STARTTLS\r\n"))
    b"".join(one.feed(b"MAIL FROM:<>\r\nRCPT TO:<a@ours.example>\r\nDATA\r\n.\r\n"))
    assert b" with " + words + b"; " in world.queued[0][2]


PIECES = st.sampled_from([b"STARTTLS\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@ours.example>\r\n", b"DATA\r\n", b".\r\n", b"EHLO x\r\n", b"AUTH LOGIN\r\n",
                          b"Ym9i\r\n", b"x", b"\r\n", b"\xff" * 13000])


@settings(deadline=None)
@given(st.lists(PIECES, max_size=10), st.lists(PIECES, max_size=10))
def test_a_prefix_in_clear_never_changes_what_happens_in_tls(before, after):
    """Whatever was sent before the handshake, in the same block as STARTTLS or earlier, the session in TLS is a new one."""
    def inside(clear):
        world = FakeWorld(passwords={BOB: True}, tls=Secured(b"X"))
        one = session(world)
        b"".join(one.feed(b"EHLO y\r\n" + clear))
        if one.facts.tls is None:
            return None
        world.done.clear()
        world.queued.clear()
        return b"".join(one.feed(b"".join(after))), world.queued, world.done

    found = inside(b"".join(before))
    assert found is None or found == inside(b"STARTTLS\r\n")
