"""From a route to a report: relays in turn, local addresses, TLS as the files want it; with real servers and a real DNS."""

import pytest

from qmailpy.remote.errand import on_the_wire
from tests.pki import Authority
from tests.sending import SENT, Sending, letters
from tests.smtpsink import SmtpSink, proof, tls_context

MX = "mx1.d.example"
ZONE = {f"{MX} a": ["127.0.0.1"]}


@pytest.fixture
def home(tmp_path, monkeypatch):
    return Sending(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def context(authority, tmp_path):
    return tls_context(tmp_path, authority.issue(MX, dns=[MX]).pem)


@pytest.mark.parametrize(("address", "words"), [(b"a@b", b"a@b"), (b"a b@c", b'"a b"@c'), (b"", b""), (b"a b", b"a b")])
def test_addresses_on_the_wire(address, words):
    assert on_the_wire(address) == words


# Relays in turn (aio: straightfallback).

@pytest.mark.parametrize(("replies", "without", "straight"), [
    ({"greeting": "421 busy"}, "Z", "rK"), ({"greeting": "554 no"}, "Z", "Z"), ({"EHLO": "451 later"}, "Z", "rK"), ({"MAIL": "451 later"}, "Z", "rK"), ({"MAIL": "550 no"}, "D", "D"),
    ({"RCPT": "450 later"}, "sD", "rK"), ({"RCPT": "550 no"}, "hD", "hD"), ({"DATA": "451 later"}, "rZ", "rK"), ({"DATA": "554 no"}, "rD", "rD"), ({"end": "451 later"}, "rZ", "rK"),
    ({"end": "552 no"}, "rD", "rD"), ({"end": None}, "rZ", "rZ"), ({"EHLO": None}, "Z", "rK"), ({"DATA": None}, "rZ", "rK"),
])
@pytest.mark.parametrize("pipe", [False, True])
def test_the_next_relay_after_a_temporary_refusal(home, replies, without, straight, pipe):
    for flag, expected in (("0\n", without), ("1\n", straight)):
        home.control(straightfallback=flag)
        with SmtpSink(replies) as first, SmtpSink(host="127.0.0.2") as second:
            report = home.send(route=f":127.0.0.1:{first.port},127.0.0.2:{second.port}\n", pipe=pipe)
            assert letters(report) == expected
            assert [data for _, _, data in second.messages] == ([SENT] if expected == "rK" else [])
            assert len(second.visits) == (expected == "rK")


@pytest.mark.parametrize("straight", ["0\n", "1\n"])
@pytest.mark.parametrize("first", ["127.0.0.3:1", "nosuch.example", "odd.example", "127.0.0.4:1"])
def test_the_next_relay_if_there_is_no_connection(home, straight, first):
    home.control(straightfallback=straight, bindroutes="127.0.0.4:192.0.2.77\n")
    with SmtpSink() as second:
        assert letters(home.send(route=f":{first},127.0.0.1:{second.port}\n", zone={"odd.example": "REFUSED"})) == "rK"


@pytest.mark.parametrize(("replies", "expected"), [(["250 ok", "450 later"], "rsK"), (["450 later", "250 ok"], "srK"), (["450 later", "550 no"], "shD")])
def test_what_was_sent_or_refused_for_good_is_not_sent_again(home, replies, expected):
    home.control(straightfallback=True)
    with SmtpSink({"RCPT": replies}) as first, SmtpSink(host="127.0.0.2") as second:
        assert letters(home.send("a@far.example", "b@far.example", route=f":127.0.0.1:{first.port},127.0.0.2:{second.port}\n")) == expected
        assert second.visits == []


def test_the_report_of_the_last(home):
    home.control(straightfallback=True)
    with SmtpSink({"MAIL": "451 first"}) as first, SmtpSink({"RCPT": "450 second"}, host="127.0.0.2") as second:
        report = home.send(route=f":127.0.0.1:{first.port},127.0.0.2:{second.port}\n")
        assert report == b"s127.0.0.2 does not like recipient.\nRemote host said: 450 second\n\0DGiving up on 127.0.0.2.\n\0"


def test_a_relay_that_does_not_exist_bounces_nothing_that_another_one_would_have_taken(home):
    home.control(straightfallback=True)
    assert letters(home.send(route=":127.0.0.3:1,nosuch.example\n")) == "Z"
    assert letters(home.send(route=":nosuch.example,127.0.0.3:1\n")) == "Z"
    assert letters(home.send(route=":nosuch.example,other.example\n")) == "D"
    with SmtpSink({"RCPT": "450 later"}) as first:
        assert letters(home.send(route=f":127.0.0.1:{first.port},nosuch.example\n")) == "sD"


def test_without_another_relay_a_refusal_is_a_refusal(home):
    home.control(straightfallback=True)
    with SmtpSink({"end": "451 later"}) as only:
        assert letters(home.send(route=f":127.0.0.1:{only.port}\n")) == "rZ"
        assert len(only.visits) == 1


def test_each_relay_is_told_the_password(home):
    home.control(straightfallback=True)
    with SmtpSink({"DATA": "451 later"}, mechanisms="LOGIN") as first, SmtpSink(host="127.0.0.2", mechanisms="PLAIN") as second:
        assert letters(home.send(route=f":127.0.0.1:{first.port},127.0.0.2:{second.port} u p q\n")) == "rK"
        assert (first.visits[0].login, second.visits[0].login) == (("LOGIN", "u", "p q"), ("PLAIN", "u", "p q"))


@pytest.mark.parametrize(("code", "expected"), [("535", "Z"), ("454", "rK")])
def test_a_password_that_is_refused_for_good_is_not_tried_elsewhere(home, code, expected):
    home.control(straightfallback=True)
    with SmtpSink({"password": code + " no"}, mechanisms="LOGIN") as first, SmtpSink(host="127.0.0.2") as second:
        assert letters(home.send(route=f":127.0.0.1:{first.port},127.0.0.2:{second.port} u p\n")) == expected
        assert len(second.visits) == (expected == "rK")


# Logins (aio: smtproutes with user and password; secauthremote).

@pytest.mark.parametrize(("tlsremote", "secauthremote", "offered", "expected"), [
    ("0\n", "0\n", True, "in clear"), ("1\n", "0\n", True, "in TLS"), ("1\n", "0\n", False, "in clear"), ("1\n", "1\n", False, None), ("0\n", "1\n", True, None), ("1\n", "1\n", True, "in TLS"),
])
def test_the_table_of_secauthremote(home, context, tlsremote, secauthremote, offered, expected):
    home.control(tlsremote=tlsremote, secauthremote=secauthremote)
    with SmtpSink(tls=context if offered else None, mechanisms="LOGIN") as sink:
        report = home.send(route=f":127.0.0.1:{sink.port} u p\n")
        [visit] = sink.settled()
        if expected is None:
            missing = b"" if tlsremote == "1\n" else b" (control/tlsremote is not set)"
            assert report == b"ZConnected to 127.0.0.1 but TLS is required before authentication" + missing + b".\n\0"
            assert (visit.login, sink.messages) == (None, [])
        else:
            assert letters(report) == "rK"
            assert (visit.login, visit.cipher is not None) == (("LOGIN", "u", "p"), expected == "in TLS")


def test_secauthremote_is_not_about_routes_without_a_login(home):
    home.control(secauthremote=True)
    with SmtpSink(mechanisms="LOGIN") as sink:
        assert letters(home.send(route=f":127.0.0.1:{sink.port}\n")) == "rK"
        assert sink.visits[0].login is None


def test_cram_md5(home):
    with SmtpSink(mechanisms="PLAIN LOGIN CRAM-MD5") as sink:
        assert letters(home.send(route=f":127.0.0.1:{sink.port} joe my:secret word\n")) == "rK"
        assert sink.visits[0].login == ("CRAM-MD5", "joe", proof("my:secret word"))
        assert b"MAIL FROM:<s@x.example>\r\n" in sink.commands


def test_port_465_is_tls_from_the_first_byte(home, context, monkeypatch):
    """At a port that a test can have."""
    from qmailpy.remote import security

    with SmtpSink(tls=context, implicit=True, mechanisms="LOGIN") as sink:
        monkeypatch.setattr(security, "SMTPS_PORT", sink.port)
        home.control(secauthremote=True)
        assert letters(home.send(route=f":127.0.0.1:{sink.port} u p\n")) == "rK"
        assert sink.visits[0].login == ("LOGIN", "u", "p")
    with SmtpSink() as clear:
        monkeypatch.setattr(security, "SMTPS_PORT", clear.port)
        assert home.send(route=f":127.0.0.1:{clear.port}\n").startswith(b"ZTLS connect failed: ")
        assert (len(clear.visits), clear.messages) == (1, [])


# TLS (aio: TLS in qmail-remote).

def test_tls_is_used_where_it_is_offered_and_wanted(home, context):
    with SmtpSink(tls=context) as sink:
        for tlsremote, encrypted in (("1\n", True), ("0\n", False), ("", False), ("yes\n", False)):
            home.control(tlsremote=tlsremote)
            assert letters(home.send(route=f":{MX}:{sink.port}\n", zone=ZONE)) == "rK"
            assert (sink.settled()[-1].cipher is not None) == encrypted


def test_a_refused_starttls_is_done_without(home, context):
    home.control(tlsremote=True)
    with SmtpSink({"STARTTLS": "454 later"}, tls=context) as sink:
        assert letters(home.send(route=f":{MX}:{sink.port}\n", zone=ZONE)) == "rK"
        assert len(sink.visits) == 1


def broken(context):
    context.maximum_version = 0x0303
    context.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
    return context


def test_a_handshake_that_fails_is_followed_by_a_connection_in_clear(home, context):
    home.control(tlsremote=True, bindroutes="127.:127.0.0.9\n")
    with SmtpSink(tls=broken(context)) as sink:
        assert letters(home.send(route=f":{MX}:{sink.port}\n", zone=ZONE)) == "rK"
        first, second = sink.settled()
        assert (first.commands, second.commands[1], second.cipher) == ([b"EHLO me.example\r\n", b"STARTTLS\r\n"], b"MAIL FROM:<s@x.example>\r\n", None)
        assert (first.peer, second.peer, len(sink.messages)) == ("127.0.0.9", "127.0.0.9", 1)


def test_but_no_password_goes_that_way_if_it_must_not(home, context):
    home.control(tlsremote=True, secauthremote=True)
    with SmtpSink(tls=broken(context), mechanisms="LOGIN") as sink:
        report = home.send(route=f":127.0.0.1:{sink.port} u p\n")
        assert report.startswith(b"ZConnected to 127.0.0.1 but TLS is required before authentication (TLS connect failed: ")
        assert [visit.login for visit in sink.settled()] == [None, None]


def test_if_there_is_no_second_connection_the_handshake_is_told(home, context):
    home.control(tlsremote=True)
    with SmtpSink({"STARTTLS": lambda visit: visit.sink.stop() or "220 begin"}, tls=broken(context)) as sink:
        report = home.send(route=f":{MX}:{sink.port}\n", zone=ZONE)
        assert report.startswith(b"ZTLS connect failed: ") and report.endswith(b"; connected to 127.0.0.1.\n\0")


PEM = f"control/tlshosts/{MX}.pem"


@pytest.mark.parametrize(("replies", "offered", "demand", "report"), [
    ({}, False, "authority", f"ZNo TLS achieved while {PEM} exists; connecting to 127.0.0.1.\n"),
    ({"STARTTLS": "454 later"}, True, "authority", f"ZSTARTTLS rejected while {PEM} exists; connecting to 127.0.0.1.\nRemote host said: 454 later\n"),
    ({"STARTTLS": "502 no"}, True, "authority", f"ZSTARTTLS rejected while {PEM} exists; connecting to 127.0.0.1.\nRemote host said: 502 no\n"),
    ({}, True, "empty", f"ZTLS unable to load {PEM}: no certificate or crl found; connecting to 127.0.0.1.\n"),
    ({}, True, "other", f"ZTLS unable to verify server with {PEM}: unable to get local issuer certificate; connected to 127.0.0.1.\n"),
    ({"EHLO": "502 no"}, True, "authority", f"ZNo TLS achieved while {PEM} exists; connecting to 127.0.0.1.\n"),
])
@pytest.mark.parametrize("tlsremote", ["0\n", "1\n"])
def test_required_tls_is_never_done_without(home, authority, context, tlsremote, replies, offered, demand, report):
    home.control(tlsremote=tlsremote)
    home.place(PEM.removeprefix("control/"), {"authority": authority.cert, "empty": "", "other": Authority("other").cert}[demand])
    with SmtpSink(replies, tls=context if offered else None) as sink:
        assert home.send(route=f":{MX}:{sink.port}\n", zone=ZONE) == report.encode() + b"\0"
        [visit] = sink.settled()
        assert not any(command.startswith(b"MAIL") for command in visit.commands)


@pytest.mark.parametrize("tlsremote", ["0\n", "1\n"])
def test_a_required_handshake_that_fails_is_the_end(home, authority, context, tlsremote):
    home.control(tlsremote=tlsremote)
    home.place(f"tlshosts/{MX}.pem", authority.cert)
    with SmtpSink(tls=broken(context)) as sink:
        report = home.send(route=f":{MX}:{sink.port}\n", zone=ZONE)
        assert report.startswith(b"ZTLS connect failed: ") and report.endswith(b"; connected to 127.0.0.1.\n\0")
        assert len(sink.settled()) == 1


@pytest.mark.parametrize("issued", [{"common": "other.example"}, {"common": MX, "days": -2}, {"common": MX, "self_signed": True}, {"common": MX, "dns": ["*.other.example"]}])
def test_a_server_that_is_not_who_it_should_be_gets_nothing(home, authority, tmp_path, issued):
    home.place(f"tlshosts/{MX}.pem", authority.cert)
    with SmtpSink(tls=tls_context(tmp_path, authority.issue(**issued).pem), mechanisms="LOGIN") as sink:
        assert home.send(route=f":{MX}:{sink.port} u p\n", zone=ZONE).startswith(b"ZTLS unable to verify server ")
        [visit] = sink.settled()
        assert (visit.login, sink.messages) == (None, [])


def test_a_server_that_is_gets_the_message(home, authority, context):
    home.place(f"tlshosts/{MX}.pem", authority.cert)
    with SmtpSink(tls=context) as sink:
        assert letters(home.send(route=f":{MX.upper()}.:{sink.port}\n", zone=ZONE)) == "rK"
        assert sink.settled()[0].asked_for == MX


@pytest.mark.parametrize("name", ["tlshosts/exhaustivelist", f"notlshosts/{MX}"])
def test_hosts_that_no_tls_is_wanted_with(home, context, name):
    home.control(tlsremote=True)
    home.place(name, "")
    with SmtpSink(tls=context) as sink:
        assert letters(home.send(route=f":{MX}:{sink.port}\n", zone=ZONE)) == "rK"
        assert sink.settled()[0].cipher is None


def test_what_is_wrong_with_files_that_protect_nothing_is_noted(home, context):
    home.control(tlsremote=True, tlsclientciphers="nonsense\n", **{"clientcert.pem": "nonsense\n"})
    with SmtpSink(tls=context) as sink:
        report = home.send(route=f":{MX}:{sink.port}\n", zone=ZONE)
        assert report.endswith(b"250 ok queued\n(control/tlsclientciphers makes no sense, DEFAULT was used instead)\n(control/clientcert.pem was not shown: clientcert.pem cannot be used: no certificate in it)\n\0")


def test_qmtp_knows_no_tls(home, authority):
    home.place(f"tlshosts/{MX}.pem", authority.cert)
    with SmtpSink() as sink:
        home.control(qmtproutes=f":{MX}:{sink.port}\n")
        assert home.send(route="", zone=ZONE) == f"ZNo TLS achieved while {PEM} exists; connecting to 127.0.0.1.\n\0".encode()
        assert sink.commands == []
