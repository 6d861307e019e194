"""qmail-remote as a process, towards small SMTP and QMTP servers."""

import time

import pytest

from qmailpy.text.batv import signed, today
from qmailpy.text.netstring import encoded
from tests.checkout import TOP, LittleHome
from tests.dnsserver import DnsServer
from tests.netstrings import Server, joined
from tests.pki import Authority
from tests.smtpsink import SmtpSink, tls_context


FAR = "127.0.0.2"  # loopback; notipme says that it is somebody else


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    found.control(notipme=f"{FAR}\n")
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
        visit, = sink.settled()
        assert visit.commands[-1] == b"QUIT\r\n"


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


@pytest.mark.parametrize(("moreipme", "notipme", "said"), [
    ("203.0.113.0/24\n", None, b"DSorry. Although I'm listed as a best-preference MX"), (None, "127.0.0.1\n", b"ZSorry, I wasn't able to establish an SMTP connection."),
    (None, None, b"DSorry. Although I'm listed as a best-preference MX"),
])
def test_own_addresses_of_the_control_files(home, moreipme, notipme, said):
    """The host is an address, so that nobody is asked; nobody serves port 25 there."""
    for name, text in (("moreipme", moreipme), ("notipme", notipme)):
        if text:
            home.control(**{name: text})
    assert home.run("qmail-remote", "[203.0.113.9]" if moreipme else "[127.0.0.1]", "s@x", "r@y").stdout.startswith(said)


@pytest.mark.parametrize("name", ["moreipme", "notipme"])
def test_own_addresses_that_cannot_be_read(home, name):
    (home.path / "control" / name).unlink(missing_ok=True)
    (home.path / "control" / name).mkdir()
    assert home.run("qmail-remote", "h", "s", "r").stdout == b"ZUnable to read control files. (#4.3.0)\n\0"


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


def test_an_exchanger_that_must_have_tls_is_not_spoken_to_by_qmtp(home):
    try:
        server, sink = Server(3, encoded(b"Kok"), FAR, 209), SmtpSink(host=FAR, port=25)
    except OSError:
        pytest.skip("ports 25 and 209 cannot be had here")
    home.control(qmtproutes="")
    (home.path / "control/tlshosts").mkdir()
    (home.path / "control/tlshosts/mx.far.example.pem").touch()
    with server, sink, DnsServer({"far.example mx": ["12801 MX.Far.Example."], "mx.far.example a": [FAR]}) as dns:
        assert send(home, sink, route="# none\n", **dns.env).startswith(b"ZNo TLS achieved while control/tlshosts/mx.far.example.pem exists; connecting to 127.0.0.2.\n")
    assert (server.got, sink.messages) == ([], [])


def test_a_sender_is_signed_for_qmtp_as_well(home):
    with Server(3, encoded(b"Kok")) as server, SmtpSink() as sink:
        home.control(signkey="secret\n", qmtproutes=f":[127.0.0.1]:{server.port}\n")
        assert b"K127.0.0.1 accepted message" in send(home, sink, "far.example", "a@x.example", "r@far.example")
    assert server.got[0][1].startswith(b"prvs=0") and server.got[0][1].endswith(b"=a@x.example")


def test_usage_and_controls(home):
    assert home.run("qmail-remote", "h").stdout == b"DI (qmail-remote) was invoked improperly. (#5.3.5)\n\0"
    (home.path / "control/me").unlink()
    assert home.run("qmail-remote", "h", "s", "r").stdout == b"ZUnable to read control files. (#4.3.0)\n\0"


MX = "mx1.d.example"


@pytest.fixture
def secure_sink(tmp_path):
    """A server that offers TLS, and shows a certificate by `sink.authority` with the name of MX."""
    authority = Authority()
    with SmtpSink(tls=tls_context(tmp_path, authority.issue(MX, dns=[MX]).pem), mechanisms="PLAIN", in_tls_only=True) as sink, \
            DnsServer({f"{MX} a": ["127.0.0.1"]}) as dns:
        sink.authority, sink.env, sink.route = authority, dns.env, f":{MX}:{sink.port} joe my:secret word\n"
        yield sink


@pytest.mark.parametrize(("demand", "report"), [
    (True, b"r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok queued\n\0"),
    (False, b"ZTLS unable to verify server with control/tlshosts/mx1.d.example.pem: unable to get local issuer certificate; connected to 127.0.0.1.\n\0"),
])
def test_a_server_that_must_prove_who_it_is(home, secure_sink, demand, report):
    (home.path / "control/tlshosts").mkdir()
    (home.path / f"control/tlshosts/{MX}.pem").write_text(secure_sink.authority.cert if demand else Authority("else").cert)
    assert send(home, secure_sink, route=secure_sink.route, **secure_sink.env) == report
    assert secure_sink.settled()[0].login == (("PLAIN", "joe", "my:secret word") if demand else None)
    assert len(secure_sink.messages) == demand


def test_tls_is_loaded_only_where_it_is_used(home, secure_sink):
    """Seen by taking the library away."""
    site = home.path / "lib/site"
    site.unlink()
    site.mkdir()
    (site / "dns").symlink_to(TOP / ".build/site/dns")
    assert send(home, secure_sink, route=secure_sink.route, **secure_sink.env).startswith(b"r\0K")
    home.control(smtproutes=secure_sink.route, tlsremote="1\n")
    done = home.run("qmail-remote", "far.example", "s@x", "r@far.example", **secure_sink.env)
    assert (done.returncode, done.stdout) == (111, b"")  # nothing that could be taken for a report
    assert (b"OpenSSL" in done.stderr or b"cryptography" in done.stderr, b"secret" in done.stderr) == (True, False)


@pytest.mark.parametrize("mechanisms", ["LOGIN", "PLAIN", "CRAM-MD5"])
def test_a_server_that_repeats_a_password_makes_nobody_read_it(home, mechanisms):
    with SmtpSink({"password": lambda visit: f"535 no: {visit.heard.decode().strip()} {visit.login[-1]}"}, mechanisms=mechanisms) as sink:
        report = send(home, sink, route=f":[127.0.0.1]:{sink.port} joe my:secret word\n")
        assert report.startswith(b"ZConnected to 127.0.0.1 but authentication was rejected (")
        assert b"secret" not in report and b"bXk6c2VjcmV0IHdvcmQ=" not in report and b"AGpvZQBteTpzZWNyZXQgd29yZA==" not in report


def test_a_route_with_half_a_login(home):
    with SmtpSink() as sink:
        assert send(home, sink, route=f":[127.0.0.1]:{sink.port} secret\n") == b"ZRoute for far.example has a user name but no password. (#4.3.5)\n\0"
        assert sink.visits == []


BINDROUTES = "127.10.:127.0.0.1\n127.10.10.:127.0.0.3\n127.10.10.10:127.0.0.4\n:127.0.0.5\n127.10.10.66:\n"


@pytest.mark.parametrize(("destination", "sender", "peer"), [
    ("127.10.10.10", "x@b.example", "127.0.0.4"), ("127.10.10.11", "x@b.example", "127.0.0.3"), ("127.10.100.1", "x@b.example", "127.0.0.1"), ("127.9.1.1", "x@b.example", "127.0.0.5"),
    ("127.10.10.10", "x@A.example", "127.0.0.10"), ("127.10.10.66", "x@b.example", None), ("127.10.10.66", "x@a.example", None), ("127.9.1.1", "x@gone.example", None),
    ("127.9.1.1", "", "127.0.0.5"),
])
def test_where_connections_come_from(home, destination, sender, peer):
    home.control(senderip="a.example:127.0.0.10\ngone.example:192.0.2.77\n", bindroutes=BINDROUTES, outgoingip="127.0.0.99\n")
    with SmtpSink(host=destination) as sink:
        report = send(home, sink, "far.example", sender, "r@far.example", route=f":{destination}:{sink.port}\n")
        assert [visit.peer for visit in sink.visits] == ([] if peer is None else [peer])
        assert report.startswith(b"ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n\0" if peer is None else b"r\0K")
    assert (home.path / "queue/lock/tcpto").read_bytes() == bytes(1024)


@pytest.mark.parametrize(("outgoingip", "peer"), [("127.0.0.99\n", "127.0.0.99"), ("0.0.0.0\n", "127.0.0.1"), ("", "127.0.0.1")])
def test_outgoingip(home, outgoingip, peer):
    home.control(outgoingip=outgoingip)
    with SmtpSink() as sink:
        assert send(home, sink).startswith(b"r\0K")
        assert sink.visits[0].peer == peer


def test_an_outgoingip_that_is_none_lets_all_mail_wait(home):
    home.control(outgoingip="mx.example\n", senderip="x:127.0.0.10\n")
    with SmtpSink() as sink:
        assert send(home, sink) == b"Zinvalid ipaddr in control/outgoingip (#4.3.0)\n\0"
        assert sink.visits == []


def test_a_signed_sender_keeps_its_local_address_and_its_quotes(home):
    home.control(signkey="my:secret key \nsecond line\n", senderip="a.example:127.0.0.10\n", nosignmydoms="quiet.example\n")
    with SmtpSink() as sink:
        before = today(int(time.time()))
        for sender in ("o'x y@a.example", "x@Quiet.example"):
            assert send(home, sink, "far.example", sender, "r@far.example").startswith(b"r\0K")
        days = {before, today(int(time.time()))}
        assert sink.messages[0][0] in {b'"%s"@a.example' % signed(b"o'x y@a.example", b"my:secret key", day).removesuffix(b"@a.example") for day in days}
        assert sink.messages[1][0] == b"x@Quiet.example"
        assert sink.visits[0].peer == "127.0.0.10"


def test_a_key_that_cannot_be_read_lets_mail_wait(home):
    (home.path / "control/signkey").mkdir()
    with SmtpSink() as sink:
        assert send(home, sink) == b"ZUnable to read control files. (#4.3.0)\n\0"
        assert sink.visits == []


def test_a_delivery_that_takes_too_long(home):
    home.control(timeoutdelivery="1\n")
    with SmtpSink({"RCPT": lambda visit: time.sleep(5) or "250 ok"}) as sink:  # a server that thinks
        assert send(home, sink) == b"ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\0"


def test_name_servers_that_take_too_long(home):
    home.control(timeoutdelivery="1\n")
    with SmtpSink() as sink, DnsServer({"far.example": "silent"}) as dns:
        assert send(home, sink, route="other:x\n", **dns.env) == b"ZSorry, this delivery takes too long. (#4.4.2)\n\0"
