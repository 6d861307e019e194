"""One message to one server: what is sent over a real connection, and what is told of it."""

import contextlib
import time

import pytest

from qmailpy.remote.courier import Courier
from qmailpy.smtp.client import NEVER, OFFERED, ON, REQUIRED, Plan
from qmailpy.smtp.login_client import Login
from qmailpy.unix.net import TlsFailed, connect
from qmailpy.unix.signals import Late, deadline
from qmailpy.unix.tls_client import TlsClient
from tests.pki import Authority
from tests.sending import MESSAGE, SENT
from tests.smtpsink import SmtpSink, tls_context


@pytest.fixture(scope="module")
def issued():
    return Authority().issue("x")


@pytest.fixture
def context(issued, tmp_path):
    return tls_context(tmp_path, issued.pem)


def carry(sink, *, tls=NEVER, recipients=(b"r@x",), blocks=(MESSAGE,), patience=30, timeout=10, **plan):
    stream = connect("127.0.0.1", sink.port, 30, patience)
    plan = Plan(b"me", b"s@y", recipients, tls=tls, demand="control/tlshosts/x.pem", **plan)
    return Courier(stream, "127.0.0.1", lambda: iter(blocks), lambda: TlsClient("x", None, "", []), timeout).run(plan)


def test_a_message_is_carried():
    with SmtpSink() as sink:
        outcome = carry(sink)
        assert (outcome.records, outcome.elsewhere) == (b"r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok queued\n\0", False)
        assert sink.messages == [(b"s@y", [b"r@x"], SENT)]
        assert sink.settled()[0].commands[-1] == b"QUIT\r\n"


@pytest.mark.parametrize(("replies", "records", "elsewhere"), [
    ({"greeting": "421 busy"}, b"ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 421 busy\n\0", True),
    ({"greeting": "554 no"}, b"ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 554 no\n\0", False),
    ({"MAIL": "451 later"}, b"ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 451 later\n\0", True),
    ({"RCPT": "450 later"}, b"s127.0.0.1 does not like recipient.\nRemote host said: 450 later\n\0DGiving up on 127.0.0.1.\n\0", True),
    ({"RCPT": "550 no"}, b"h127.0.0.1 does not like recipient.\nRemote host said: 550 no\n\0DGiving up on 127.0.0.1.\n\0", False),
    ({"DATA": "451 later"}, b"r\0Z127.0.0.1 failed on DATA command.\nRemote host said: 451 later\n\0", True),
    ({"end": "451 later"}, b"r\0Z127.0.0.1 failed after I sent the message.\nRemote host said: 451 later\n\0", True),
    ({"end": "552 no"}, b"r\0D127.0.0.1 failed after I sent the message.\nRemote host said: 552 no\n\0", False),
    ({"MAIL": None}, b"ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\0", True),
    ({"DATA": None}, b"r\0ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\0", True),
    ({"end": None}, b"r\0ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n\0", False),
])
def test_what_goes_wrong_and_whether_another_server_may_be_asked(replies, records, elsewhere):
    with SmtpSink(replies) as sink:
        outcome = carry(sink)
        assert (outcome.records, outcome.elsewhere) == (records, elsewhere)


def unreadable():
    yield b"Subject: x\n"
    raise OSError


@pytest.mark.parametrize(("blocks", "records"), [
    ([b"no newline"], b"r\0DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n\0"), (unreadable(), b"r\0ZUnable to read message. (#4.3.0)\n\0"),
])
def test_what_is_wrong_with_the_message_is_not_for_another_server(blocks, records):
    with SmtpSink() as sink:
        outcome = carry(sink, blocks=blocks)
        assert (outcome.records, outcome.elsewhere, sink.messages) == (records, False, [])


@pytest.mark.parametrize(("tls", "implicit"), [(OFFERED, False), (REQUIRED, False), (ON, True)])
def test_within_tls(context, tls, implicit):
    with SmtpSink(tls=context, implicit=implicit) as sink:
        assert carry(sink, tls=tls).records.startswith(b"r\0K")
        assert sink.settled()[0].cipher is not None
        assert sink.messages == [(b"s@y", [b"r@x"], SENT)]


def test_what_is_said_in_clear_behind_the_reply_to_starttls_is_no_reply_within_tls(context):
    with SmtpSink({"STARTTLS": "220 begin\r\n250-injected\r\n250 AUTH PLAIN", "MAIL": "550 the real one"}, tls=context) as sink:
        outcome = carry(sink, tls=OFFERED, login=Login(b"u", b"p"))
        assert outcome.records == b"DConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 550 the real one\n(no supported AUTH method found, " \
            b"continuing without authentication)\n\0"
        assert sink.settled()[0].login is None


@pytest.mark.parametrize("tls", [OFFERED, REQUIRED])
def test_a_handshake_that_fails(context, tls):
    context.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
    context.maximum_version = 0x0303
    with SmtpSink(tls=context) as sink:
        with pytest.raises(TlsFailed, match="TLS connect failed: "):
            carry(sink, tls=tls)
        assert sink.settled()[0].commands == [b"EHLO me\r\n", b"STARTTLS\r\n"]


def test_a_server_that_finds_fault_when_we_think_that_the_handshake_is_over(context, issued):
    """With TLS 1.3 a server that must have our certificate says so only then."""
    context.load_verify_locations(cadata=issued.cert)
    context.verify_mode = 2
    with SmtpSink(tls=context) as sink, pytest.raises(TlsFailed, match="TLS connect failed: "):
        carry(sink, tls=OFFERED)


def test_a_server_without_tls_at_all():
    with SmtpSink() as sink, pytest.raises(TlsFailed, match="TLS connect failed: "):
        carry(sink, tls=ON)


def test_a_login(context):
    with SmtpSink(tls=context, mechanisms="LOGIN PLAIN", in_tls_only=True) as sink:
        assert carry(sink, tls=OFFERED, login=Login(b"joe", b"my:secret word")).records.startswith(b"r\0K")
        assert sink.settled()[0].login == ("PLAIN", "joe", "my:secret word")


def test_a_login_that_is_refused():
    with SmtpSink({"password": "454 later"}, mechanisms="LOGIN") as sink:
        outcome = carry(sink, login=Login(b"joe", b"secret"))
        assert outcome.records == b"ZConnected to 127.0.0.1 but authentication was rejected (password).\nRemote host said: 454 later\n\0"
        assert outcome.elsewhere


def test_notes_stand_at_the_end_of_the_record():
    with SmtpSink() as sink:
        assert carry(sink, login=Login(b"joe", b"secret")).records == (
            b"r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok queued\n(no supported AUTH method found, continuing without authentication)\n\0")


def test_a_reply_must_be_whole_in_time_however_it_drips():
    def drip(visit):
        with contextlib.suppress(OSError):
            while True:
                visit.connection.sendall(b"250-and so on\r\n")
                time.sleep(0.05)  # the drip itself

    begin = time.monotonic()
    with SmtpSink({"MAIL": drip}) as sink:
        assert carry(sink, timeout=1).records == b"ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\0"
    assert time.monotonic() < begin + 20


@pytest.mark.parametrize(("silent", "duplicate"), [("RCPT", b""), ("end", b"Possible duplicate! ")])
def test_a_delivery_that_takes_too_long(silent, duplicate):
    def late():
        raise Late

    with SmtpSink({silent: lambda visit: time.sleep(5) or "250 ok"}) as sink, deadline(0.5, late):  # a server that thinks
        outcome = carry(sink)
    assert outcome.records.endswith(b"ZConnected to 127.0.0.1 but connection died. " + duplicate + b"(#4.4.2)\n\0")
    assert not outcome.elsewhere
