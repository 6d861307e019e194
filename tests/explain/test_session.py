"""A session that is watched."""

import os

import pytest

from qmailpy.explain.session import QuietWorld, WatchedSession, shown
from qmailpy.smtp.checks.order import AT_MAIL, AT_RCPT
from qmailpy.text.received import Client
from qmailpy.unix.connection import Connection
from tests.dnsserver import DnsServer
from tests.explain.homes import home_with, trace_of


def ask(tmp_path, *said, relay=None, env=(), dns=False, callback=False, **control):
    """The commands of a session with these control files."""
    home = home_with(tmp_path, **control)
    trace = trace_of(home, env)
    world = QuietWorld(home, dict(env), Connection(0, 1, 1), trace, dns=dns, callback=callback)
    session = WatchedSession(trace, Client(b"192.0.2.7", b"client.example"), world, relay)
    return [session.greet(), *(session.say(line) for line in said), session.at_data()]


MAIL, RCPT = b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@ours.example>"


def test_each_check_is_seen_in_its_order(tmp_path):
    greeting, mail, rcpt, data = ask(tmp_path, MAIL, RCPT)
    assert greeting.reply == b"220 mx.example ESMTP\r\n"
    assert [step.name for step in mail.steps] == [check.__name__ for check in AT_MAIL]
    assert [step.name for step in rcpt.steps] == [check.__name__ for check in AT_RCPT]
    assert all(step.about for step in rcpt.steps)
    assert (mail.reply, rcpt.reply, data.reply) == (b"250 ok\r\n", b"250 ok\r\n", b"354 go ahead\r\n")
    may_relay = next(step for step in rcpt.steps if step.name == "may_relay")
    assert may_relay.asked == ["rcpthosts"]
    assert [(hit.name, hit.number, hit.text) for hit in may_relay.hits] == [("rcpthosts", 1, b"ours.example")]


@pytest.mark.parametrize(("control", "said", "check", "line", "code"), [
    ({"badheloext": "x\n!\\.\n"}, (b"EHLO localhost", MAIL, RCPT), "bad_helo", ("badheloext", 2, b"!\\."), b"553"),
    ({"badmailfrom": "@B.example\n"}, (MAIL, RCPT), "bad_mail_from", ("badmailfrom", 1, b"@B.example"), b"553"),
    ({"antispoofing": "# x\nb.example: 10/255.0.0.0\n"}, (MAIL,), "comes_from_its_network", ("antispoofing", 2, b"b.example: 10/255.0.0.0"), b"553"),
    ({"antispoofing": "b.example: 192.0.2/24\na@B.example: 10.1.2.3\n"}, (MAIL,), "comes_from_its_network", ("antispoofing", 2, b"a@B.example: 10.1.2.3"), b"553"),
])
def test_the_line_that_decided(tmp_path, control, said, check, line, code):
    command = ask(tmp_path, *said, **control)[-2]
    step = command.steps[-1]
    assert command.reply.startswith(code) and step.reply is not None
    assert step.name == check
    assert [(hit.name, hit.number, hit.text) for hit in step.hits] == [line]


def test_how_a_network_is_understood(tmp_path):
    step = ask(tmp_path, MAIL, antispoofing="b.example: 10.98.8.4\n")[1].steps[-1]
    assert step.remarks == ["10.98.8.4 is 10.98.8.4/255.255.255.252, 10.98.8.4 to 10.98.8.7; better write the mask."]


def test_delays_are_told_and_not_waited_for(tmp_path):
    found = ask(tmp_path, b"EHLO x", MAIL, RCPT, greetdelay="500\n", databeforegreet="1\n", helodelay="100\n", mfdelay="200\n", rcptdelay="300\n", tarpitcount="1\n", tarpitdelay="30\n")
    assert [command.seconds for command in found] == [500, 100, 200, 330, 0]


def test_what_would_be_logged(tmp_path, capfd):
    command = ask(tmp_path, MAIL, b"RCPT TO:<bad@ours.example>", badmailtoext="^bad\n")[2]
    assert command.log == [b"badmailto: <bad@ours.example> at 192.0.2.7"]
    assert capfd.readouterr().err == ""


def test_neither_the_dns_nor_others_are_asked_unless_they_may_be(tmp_path):
    found = ask(tmp_path, b"EHLO nosuch.example", b"MAIL FROM:<a@nosuch.example>", RCPT, mfcheck="2\n", helodnschkext="1\n", env={"DNSCACHEIP": "192.0.2.1:1"})
    assert [command.reply[:3] for command in found] == [b"220", b"250", b"250", b"250", b"354"]
    remarks = [remark for command in found for step in command.steps for remark in step.remarks]
    assert remarks == ["the DNS was not asked whether nosuch.example takes mail (--dns)", "no mail exchanger was asked for a@nosuch.example (--callback)",
                       "the DNS was not asked whether nosuch.example exists (--dns)"]


def test_the_dns_if_it_may_be_asked(tmp_path):
    with DnsServer({"b.example a": ["192.0.2.9"]}) as dns:
        found = ask(tmp_path, b"EHLO nosuch.example", MAIL, RCPT, env=dns.env, dns=True, mfcheck="1\n", helodnschkext="1\n")
    assert [command.reply[:3] for command in found[1:4]] == [b"250", b"250", b"553"]
    assert found[3].steps[-1].name == "helo_exists"


def test_programs_are_not_run(tmp_path):
    script = tmp_path / "check"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/touched; exit 100\n")
    script.chmod(0o755)
    command = ask(tmp_path, MAIL, RCPT, env={"RCPTCHECK": str(script)})[2]
    assert command.reply.startswith(b"250")
    assert [remark for step in command.steps for remark in step.remarks] == [f"{script} was not run; it may refuse"]
    assert not os.path.exists(tmp_path / "touched")


def test_what_data_would_be_answered(tmp_path):
    env = {"RECIPIENTCHK": "1", "QMAILRRTDENYALL": "1"}
    assert ask(tmp_path, MAIL, b"RCPT TO:<no-such-user@ours.example>", env=env)[-1].reply.startswith(b"554")
    assert ask(tmp_path, MAIL)[-1].reply.startswith(b"503")


def test_a_relay_client_is_judged_by_its_own_lists(tmp_path):
    command = ask(tmp_path, b"EHLO localhost", MAIL, b"RCPT TO:<c@far.example>", relay=b"", badheloext="!\\.\n")[3]
    assert command.reply.startswith(b"250")
    assert "badheloint" in [name for step in command.steps for name in step.asked]


def test_bytes_for_people():
    assert shown(b"a\xff\x1b \\") == "a\\xff\\x1b \\"
