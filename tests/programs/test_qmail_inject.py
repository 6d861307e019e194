"""qmail-inject as a program: options, variables, streaming, exit codes."""

import os
import re
import subprocess

import pytest

from tests.checkout import LittleHome

WHO = {"QMAILUSER": "joe", "QMAILHOST": "h.example"}
ADDED = rb"Date: \d+ [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d -0000\nMessage-ID: <\d{14}\.\d+\.qmail@me\.example>\n"


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def inject(home, text, *words, **env):
    return home.run("qmail-inject", *words, stdin=text, **{**WHO, **env})


def envelope(home):
    return home.queued()[1]


def test_a_message_is_completed_and_queued(home):
    done = inject(home, b"To: a@b.c\n\nbody\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    message, addresses = home.queued()
    assert re.fullmatch(ADDED + rb"From: joe@h\.example\nTo: a@b\.c\n\nbody\n", message)
    assert addresses == b"Fjoe@h.example\0Ta@b.c\0\0"


def test_printing(home):
    done = inject(home, b"To: a@b.c\nBcc: d@e.f\n\nbody", "-n")
    assert re.fullmatch(rb"Return-Path: <joe@h\.example>\n" + ADDED + rb"From: joe@h\.example\nTo: a@b\.c\n\nbody\n", done.stdout)
    assert home.queued() is None


@pytest.mark.parametrize(("words", "recipients"), [
    ((), b"Tto@x.y\0"),
    (("arg@x.y",), b"Targ@x.y\0"),
    (("-a",), b""),
    (("-a", "arg@x.y"), b"Targ@x.y\0"),
    (("-h", "arg@x.y"), b"Tto@x.y\0"),
    (("-H", "arg@x.y"), b"Targ@x.y\0Tto@x.y\0"),
    (("-h", "-A", "arg@x.y"), b"Targ@x.y\0"),
    (("-n", "-N"), b"Tto@x.y\0"),
    (("--", "-a"), b"T-a@me.example\0"),
])
def test_who_gets_it(home, words, recipients):
    assert inject(home, b"To: to@x.y\n", *words).returncode == 0
    assert envelope(home) == b"Fjoe@h.example\0" + recipients + b"\0"


def test_sender_option(home):
    inject(home, b"To: to@x.y\nReturn-Path: other@x.y\n", "-f", "s@t.u", QMAILINJECT="rm")
    assert envelope(home).startswith(b"Fs@t.u\0")
    inject(home, b"To: to@x.y\n", "-f", "")
    assert envelope(home).startswith(b"F\0")


@pytest.mark.parametrize(("env", "line"), [
    ({"QMAILUSER": "q", "MAILUSER": "m", "USER": "u", "LOGNAME": "l"}, b"From: q@me.example\n"),
    ({"MAILUSER": "m", "USER": "u", "LOGNAME": "l"}, b"From: m@me.example\n"),
    ({"USER": "u", "LOGNAME": "l"}, b"From: u@me.example\n"),
    ({"LOGNAME": "l"}, b"From: l@me.example\n"),
    ({}, b"From: anonymous@me.example\n"),
    ({"USER": "u", "QMAILHOST": "q.x", "MAILHOST": "m.x"}, b"From: u@q.x\n"),
    ({"USER": "u", "MAILHOST": "m.x"}, b"From: u@m.x\n"),
    ({"USER": "u", "QMAILNAME": "Q", "MAILNAME": "M", "NAME": "N"}, b'From: "Q" <u@me.example>\n'),
    ({"USER": "u", "NAME": "N", "QMAILINJECT": "c"}, b"From: u@me.example (N)\n"),
    ({"USER": "u", "QMAILDEFAULTHOST": "d", "QMAILDEFAULTDOMAIN": "e.f"}, b"From: u@d.e.f\n"),
    ({"USER": "u", "QMAILDEFAULTHOST": "d+", "QMAILPLUSDOMAIN": "p.f"}, b"From: u@d.p.f\n"),
])
def test_who_writes(home, env, line):
    home.run("qmail-inject", stdin=b"To: x@y.z\n", **env)
    assert line in home.queued()[0]


def test_settings(home):
    home.control(defaulthost="dh\n", defaultdomain="dd.example\n", plusdomain="pp.example\n", idhost="id.example\n")
    inject(home, b"To: a, b@c+, d@e\n", QMAILHOST="h")
    message, addresses = home.queued()
    assert b".qmail@id.example>\n" in message
    assert addresses == b"Fjoe@h.dd.example\0Td@e.dd.example\0Tb@c.pp.example\0Ta@dh.dd.example\0\0"


def test_letters(home):
    text = b"From: f@x.y\nMessage-ID: <1>\nReturn-Path: r@x.y\nTo: to@x.y\n"
    inject(home, text, QMAILINJECT="sfi?")
    message, addresses = home.queued()
    assert b"<1>" not in message and b"f@x.y" not in message
    assert addresses.startswith(b"Fjoe@h.example\0")
    inject(home, b"To: to@x.y\n", QMAILINJECT="mr")
    assert re.match(rb"Fjoe-\d+\.\d+-@h\.example-@\[\]\0", envelope(home))


def test_lists_for_mail_followup_to(home):
    (home.path / "lists").write_bytes(b"# mine\nList@x.example\n")
    inject(home, b"To: list@x.example\n", QMAILMFTFILE="lists")
    assert b"Mail-Followup-To: list@x.example\n" in home.queued()[0]
    assert inject(home, b"To: a@b.c\n", QMAILMFTFILE="none").returncode == 0
    done = inject(home, b"To: a@b.c\n", QMAILMFTFILE=".")
    assert (done.returncode, done.stderr) == (111, b"qmail-inject: fatal: read error\n")


@pytest.mark.parametrize(("text", "rest"), [
    (b"", b"Cc: recipient list not shown: ;\n"),
    (b"Subject: x", b"Cc: recipient list not shown: ;\nSubject: x\n"),
    (b"\n", b"Cc: recipient list not shown: ;\n\n"),
    (b"no field\nTo: x\n", b"Cc: recipient list not shown: ;\n\nno field\nTo: x\n"),
    (b" leading blank\n", b"Cc: recipient list not shown: ;\n\n leading blank\n"),
    (b"X: 1\n 2\nbody", b"Cc: recipient list not shown: ;\nX: 1\n 2\n\nbody\n"),
    (b"From joe\nX: 1\n\nFrom joe\n", b"Cc: recipient list not shown: ;\nMBOX-Line: From joe\nX: 1\n\nFrom joe\n"),
    (b"X: 1\r\n\r\nbody\r\n", b"Cc: recipient list not shown: ;\nX: 1\r\n\n\r\nbody\r\n"),
])
def test_where_the_header_ends(home, text, rest):
    assert inject(home, text).returncode == 0
    assert re.fullmatch(ADDED + b"From: joe@h.example\n" + re.escape(rest), home.queued()[0])


def limited(home, script, **redirections):
    """Run qmail-inject from a shell script that does something before."""
    path = home.program("limited", f"#!/bin/sh\n{script.format(home.link('qmail-inject'))}\n")
    env = {"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder), **WHO}
    return subprocess.run([str(path)], env=env, capture_output=True, timeout=60, **redirections)


def test_a_large_body_passes_unchanged_in_little_memory(home):
    body = os.urandom(1 << 20).replace(b"\0", b"x") * 64 + b"\n"
    assert limited(home, "ulimit -v 61440; exec {}", input=b"To: a@b.c\n\n" + body).returncode == 0
    assert home.queued()[0].partition(b"\n\n")[2] == body


def test_fields_across_blocks(home):
    text = b"".join(b"X-%05d: %s\n" % (number, b"v" * (number % 300)) for number in range(2000))
    inject(home, text + b"To: a@b.c\n\nbody\n")
    assert home.queued()[0].endswith(b"joe@h.example\n" + text + b"To: a@b.c\n\nbody\n")


def test_a_header_without_end_is_refused(home):
    done = inject(home, b"X: " + b"x" * (17 << 20))
    assert (done.returncode, done.stderr) == (100, b"qmail-inject: fatal: header is longer than 16777216 bytes\n")
    assert home.queued() is None


@pytest.mark.parametrize("words", [("-z",), ("-f",)])
def test_wrong_options(home, words):
    done = inject(home, b"To: a@b.c\n", *words)
    assert done.returncode == 100 and b"usage: qmail-inject" in done.stderr
    assert home.queued() is None


@pytest.mark.parametrize(("text", "words", "said"), [
    (b"From: a (open\nTo: a@b.c\n", (), b"unable to parse this line:\nFrom: a (open\n"),
    (b"To: a (open\n", (), b"unable to parse this line:\nTo: a (open\n"),
    (b'To: "a\rb"@c.d\n', (), b'unable to parse this line:\nTo: "a\rb"@c.d\n'),
    (b"To: a\0Tb@c.d\n", (), b"unable to parse this line:\nTo: a\0Tb@c.d\n"),
    (b"", ("a@(b",), b"unable to parse address: a@(b\n"),
    (b"", ("-f", "a@(b"), b"unable to parse this line:\na@(b"),
])
def test_what_makes_no_sense_is_not_queued(home, text, words, said):
    done = inject(home, text, *words)
    assert (done.returncode, done.stderr) == (100, b"qmail-inject: fatal: " + said)
    assert home.queued() is None


def test_a_recipient_field_that_makes_no_sense_matters_only_if_it_is_needed(home):
    assert inject(home, b"To: a (open\n", "arg@x.y").returncode == 0
    assert home.queued()[0].endswith(b"To: a (open\n")
    assert inject(home, b"To: a (open\n", "-n").returncode == 0


def test_settings_that_make_no_sense_or_cannot_be_read(home):
    home.control(defaultdomain="(open\n")
    done = inject(home, b"To: a@b.c\n")
    assert (done.returncode, done.stderr) == (100, b"qmail-inject: fatal: unable to parse this line:\n.(open")
    (home.path / "control/defaultdomain").unlink()
    (home.path / "control/defaultdomain").mkdir()
    done = inject(home, b"To: a@b.c\n")
    assert (done.returncode, done.stderr) == (111, b"qmail-inject: fatal: read error\n")


@pytest.mark.parametrize(("code", "says", "status", "said"), [
    (31, "", 100, b"mail server permanently rejected message (#5.3.0)"),
    (53, "", 111, b"qq write error or disk full (#4.3.0)"),
    (82, "Dgo away", 100, b"go away"),
    (82, "Zlater", 111, b"later"),
])
def test_what_the_queue_says(home, code, says, status, said):
    home.queue_exits(code, says)
    done = inject(home, b"To: a@b.c\n")
    assert (done.returncode, done.stderr) == (status, b"qmail-inject: fatal: " + said + b"\n")


def test_no_queue_program(home):
    done = inject(home, b"To: a@b.c\n", QMAILQUEUE="/nonexistent/queue")
    assert (done.returncode, done.stderr) == (111, b"qmail-inject: fatal: unable to exec qq (#4.3.0)\n")


def test_a_closed_input_is_temporary(home):
    done = limited(home, "exec {} a@b.c <&-")
    assert (done.returncode, done.stderr) == (111, b"qmail-inject: fatal: read error\n")
    assert home.queued() is None


@pytest.mark.parametrize("target", ["/dev/full", "&-"])
def test_output_that_cannot_be_written(home, target):
    done = limited(home, "exec {} -n >" + target, input=b"To: a@b.c\n")
    assert done.returncode == 111 and done.stderr.startswith(b"qmail-inject: fatal: unable to write: ")


EVIL = "x\nX-Evil: 1\r\nX-Evil: 2\r"


@pytest.mark.parametrize("name", ["QMAILNAME", "MAILNAME", "NAME", "QMAILUSER", "QMAILSUSER", "QMAILIDHOST"])
@pytest.mark.parametrize("letters", ["", "c", "mr"])
def test_no_variable_begins_a_line(home, name, letters):
    assert inject(home, b"To: a@b.c\n", **{name: EVIL, "QMAILINJECT": letters}).returncode == 0
    message, addresses = home.queued()
    assert [line.partition(b":")[0] for line in message.split(b"\n")[:-1]] == [b"Date", b"Message-ID", b"From", b"To"]
    assert b"\r" not in message
    assert not set(addresses) & set(b"\r\n")


@pytest.mark.parametrize("words", [("-f", "s\nX: y@t.u", "a@b.c"), ("a\r\nX-Evil@b.c",), ("a@b.c\n",)])
def test_no_argument_begins_a_line(home, words):
    assert inject(home, b"Subject: x\n", *words).returncode == 0
    message, addresses = home.queued()
    assert b"Evil" not in message
    assert not set(addresses) & set(b"\r\n")
