"""qmail-remote as a process, towards a small SMTP server."""

import pytest

from tests.checkout import LittleHome
from tests.dnsserver import DnsServer
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
    (home.path / "control" / name).mkdir()
    assert home.run("qmail-remote", "h", "s", "r").stdout == b"ZUnable to read control files. (#4.3.0)\n\0"


def test_usage_and_controls(home):
    assert home.run("qmail-remote", "h").stdout == b"DI (qmail-remote) was invoked improperly. (#5.3.5)\n\0"
    (home.path / "control/me").unlink()
    assert home.run("qmail-remote", "h", "s", "r").stdout == b"ZUnable to read control files. (#4.3.0)\n\0"
