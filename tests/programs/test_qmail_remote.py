"""qmail-remote as a process, towards small SMTP and QMTP servers."""

import pytest

from qmailpy.text.netstring import encoded
from tests.checkout import LittleHome
from tests.dnsserver import DnsServer
from tests.netstrings import Server, joined
from tests.smtpsink import SmtpSink


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue/lock").mkdir(parents=True)
    (tmp_path / "queue/lock/tcpto").write_bytes(bytes(1024))
    return found


def send(home, sink, *words, message=b"Subject: x\n\nbody\n", route="", **env):
    home.control(smtproutes=route or f":[127.0.0.1]:{sink.port}\n")
    done = home.run("qmail-remote", *(words or ("far.example", "s@x", "r@far.example")), stdin=message, **env)
    assert done.returncode == 0
    assert done.stderr == b""
    return done.stdout


def test_a_message_goes_out(home):
    with SmtpSink() as sink:
        assert send(home, sink) == b"r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok queued\n\0"
        assert sink.messages == [(b"s@x", [b"r@far.example"], b"Subject: x\r\n\r\nbody\r\n")]
        assert sink.commands[0] == b"EHLO me.example\r\n"


def test_over_ipv6(home):
    try:
        sink = SmtpSink(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with sink:
        assert send(home, sink, route=f":[::1]:{sink.port}\n") == b"r\0K::1 accepted message.\nRemote host said: 250 ok queued\n\0"


def test_a_relay_found_in_the_dns(home):
    with SmtpSink() as sink, DnsServer({"relay.example a": ["127.0.0.1"]}) as dns:
        assert send(home, sink, route=f":relay.example:{sink.port}\n", **dns.env).startswith(b"r\0K127.0.0.1 accepted")


@pytest.mark.parametrize("body", [b"a\r.\r\nMAIL FROM:<evil@x>\r\n", b"a\n.\nb\n", b".\n", b"..\n", b"\r.\r", b"a\r\n.\r\nb\n"])
def test_no_body_can_end_its_message_early(home, body):
    with SmtpSink() as sink:
        assert b"K127.0.0.1 accepted message" in send(home, sink, message=b"Subject: x\n\n" + body)
        assert len(sink.messages) == 1
        assert sink.messages[0][2] == b"Subject: x\r\n\r\n" + body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        assert sink.commands[-1] == b"QUIT\r\n"


@pytest.mark.parametrize("words", [("far.example", "s@x\r\nRCPT TO:<evil@x>", "r@y"), ("far.example", "s@x", "r@y\nDATA"), ("far\r.example", "s@x", "r@y")])
def test_line_breaks_in_addresses_are_refused_before_connecting(home, words):
    with SmtpSink() as sink:
        assert send(home, sink, *words) == b"DSorry, that address has a line break in it. (#5.1.3)\n\0"
        assert sink.commands == []


def test_a_server_that_hangs_up(home):
    with SmtpSink({"end": None}) as sink:
        assert send(home, sink).endswith(b"ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n\0")
    with SmtpSink({"greeting": None}) as sink:
        assert send(home, sink) == b"ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\0"


def test_a_message_that_cannot_be_sent(home):
    with SmtpSink() as sink:
        assert b"DSMTP cannot transfer messages with partial final lines" in send(home, sink, message=b"no newline")
        assert sink.messages == []


def test_by_qmtp_where_qmtproutes_says_so(home):
    with Server(3, encoded(b"Kok 1 qp 2")) as server, SmtpSink() as sink:
        home.control(qmtproutes=f".example:{server.place}\n")
        told = send(home, sink, "far.example", "s@x", "a b@far.example", message=b"Subject: x\n\n.\nno newline")
        assert told == b"r\0K127.0.0.1 accepted message.\nRemote host said: ok 1 qp 2\n\0"
        assert b"K127.0.0.1 accepted message.\nRemote host said: 250" in send(home, sink, "elsewhere", "s@x", "r@elsewhere")
    assert server.got == [[b"\nSubject: x\n\n.\nno newline", b"s@x", joined(b"a b@far.example")]]


def test_a_route_that_is_by_qmtp_has_no_other_way(home):
    with Server(3, None) as server, SmtpSink() as sink:
        home.control(qmtproutes=f"far.example:{server.place}\n")
        assert send(home, sink).startswith(b"ZConnected to 127.0.0.1 but connection died. ")
        assert sink.commands == []


FAR = "127.0.0.2"  # loopback, but no address of an interface, so that it is somebody else


@pytest.mark.parametrize(("routes", "preference", "by"), [("", 12801, "qmtp"), ("# none\n", 12817, "qmtp"), ("", 10, "smtp"), (None, 12801, "smtp")])
def test_a_preference_that_means_qmtp_counts_if_there_is_a_file_qmtproutes(home, routes, preference, by):
    try:
        server, sink = Server(3, encoded(b"Kok"), FAR, 209), SmtpSink(host=FAR, port=25)
    except OSError:
        pytest.skip("ports 25 and 209 cannot be had here")
    if routes is not None:
        home.control(qmtproutes=routes)
    with server, sink, DnsServer({"far.example mx": [f"{preference} mx.far.example."], "mx.far.example a": [FAR]}) as dns:
        assert b"K127.0.0.2 accepted message" in send(home, sink, route="# none\n", **dns.env)
    assert (len(server.got), len(sink.messages)) == ((1, 0) if by == "qmtp" else (0, 1))


def test_where_nobody_speaks_qmtp_smtp_is_next(home):
    try:
        sink = SmtpSink(host=FAR, port=25)
    except OSError:
        pytest.skip("port 25 cannot be had here")
    home.control(qmtproutes="")
    with sink, DnsServer({"far.example mx": ["12801 mx.far.example."], "mx.far.example a": [FAR]}) as dns:
        assert b"K127.0.0.2 accepted message" in send(home, sink, route="# none\n", **dns.env)
    assert len(sink.messages) == 1


def test_usage_and_controls(home):
    assert home.run("qmail-remote", "h").stdout == b"DI (qmail-remote) was invoked improperly. (#5.3.5)\n\0"
    (home.path / "control/me").unlink()
    assert home.run("qmail-remote", "h", "s", "r").stdout == b"ZUnable to read control files. (#4.3.0)\n\0"
