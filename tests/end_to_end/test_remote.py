"""Mail out of a home, by qmail-remote: to a host found by its MX in the DNS, and what comes back."""

import socket

import pytest

from tests.dnsserver import DnsServer
from tests.home import messages
from tests.smtpsink import SmtpSink

FAR = "127.0.0.2"  # loopback; notipme says that it is somebody else


@pytest.fixture
def sink():
    """A server where mail for a host found by MX goes: on port 25."""
    try:
        with socket.create_server((FAR, 25)):
            pass
    except OSError:
        pytest.skip("port 25 cannot be had here")
    with SmtpSink(host=FAR, port=25) as found:
        yield found


@pytest.fixture
def dns():
    with DnsServer({"far.example mx": ["10 mx.far.example."], "mx.far.example a": [FAR]}) as found:
        yield found


def test_found_by_mx(single, sink, dns):
    single.control(notipme=f"{FAR}\n")
    single.start(**dns.env)
    single.run("qmail-inject", "-f", "joe@test.example", "you@far.example", input=b"Subject: out\n\n.dot\n")
    [(sender, recipients, data)] = sink.wait(1)
    assert (sender, recipients) == (b"joe@test.example", [b"you@far.example"])
    assert data.endswith(b"\r\nSubject: out\r\n\r\n.dot\r\n")
    single.wait_empty()
    single.log.wait(r"delivery 1: success: 127.0.0.2_accepted_message./Remote_host_said:_250_ok_queued/")
    assert "far.example MX" in dns.asked


def test_a_refusal_bounces(single, dns):
    single.run("maildirmake", str(single.path / "alias/Maildir"))
    (single.path / "alias/.qmail-default").write_text("./Maildir/\n")
    with SmtpSink({"RCPT": "550 no such user"}) as refusing:
        single.control(smtproutes=f"far.example:[127.0.0.1]:{refusing.port}\n")
        single.start(**dns.env)
        single.run("qmail-inject", "-f", "joe@test.example", "you@far.example", input=b"Subject: out\n\nbody\n")
        single.log.wait("end msg", count=2)
    [bounce] = messages(single.path / "alias/Maildir")
    assert b"\n<you@far.example>:\n127.0.0.1 does not like recipient.\nRemote host said: 550 no such user\nGiving up on 127.0.0.1.\n" in bounce


def test_a_deferral_waits_and_alrm_tries_again(single, dns):
    replies = {"RCPT": "450 later"}
    with SmtpSink(replies) as server:
        single.control(smtproutes=f"far.example:[127.0.0.1]:{server.port}\n")
        single.start(**dns.env)
        single.run("qmail-inject", "-f", "joe@test.example", "you@far.example", input=b"Subject: out\n\nbody\n")
        single.log.wait("delivery 1: deferral: ")
        server.replies["RCPT"] = "250 ok"
        single.daemon.send_signal(14)
        server.wait(1)
        single.wait_empty()


def test_ipv6(single, dns):
    try:
        server = SmtpSink(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        single.control(smtproutes=f":[::1]:{server.port}\n")
        single.start(**dns.env)
        single.run("qmail-inject", "-f", "joe@test.example", "you@far.example", input=b"Subject: out\n\nbody\n")
        single.log.wait("delivery 1: success: ::1_accepted_message")


def test_a_password_that_is_refused_bounces_nothing_and_stands_in_no_log(single):
    with SmtpSink({"password": "535 wrong: joe secret"}, mechanisms="LOGIN") as relay:
        single.control(smtproutes=f":[127.0.0.1]:{relay.port} joe secret\n")
        single.start()
        single.run("qmail-inject", "-f", "joe@test.example", "you@far.example", input=b"Subject: out\n\nx\n")
        single.log.wait(r"delivery 1: deferral: Connected_to_127.0.0.1_but_authentication_was_rejected_\(password\)./Remote_host_said:_535_\(not_shown")
        assert relay.settled()[0].login == ("LOGIN", "joe", "secret")
    assert "secret" not in single.log.text()
    assert any(name.startswith("mess/") for name in single.queue_files())
