"""sendmail: which program it becomes, with which arguments and variables."""

import os

import pytest

from tests.checkout import LittleHome

SHOW = """#!/bin/sh
echo "$0" "$(pwd)"
for word; do echo "<$word>"; done
env | sort
"""
LOCAL = ["DATABYTES=0", "PROTO=TCP", "RELAYCLIENT=", "TCPLOCALHOST=localhost", "TCPLOCALIP=127.0.0.1", "TCPREMOTEHOST=localhost",
         "TCPREMOTEINFO=sendmail-bs", "TCPREMOTEIP=127.0.0.1"]


@pytest.fixture
def home(tmp_path):
    home = LittleHome(tmp_path)
    for name in ("qmail-inject", "qmail-smtpd", "qmail-qread"):
        home.program(name, SHOW)
    return home


def become(home, *words, argv0=None, **env):
    """(name of the program, its arguments, its variables) that sendmail became."""
    done = home.run("sendmail", *words, argv0=argv0, **env)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.decode().split("\n")[:-1]
    path, folder = first.split(" ")
    assert folder == str(home.path)
    arguments = [line[1:-1] for line in rest if line.startswith("<")]
    return os.path.basename(path), arguments, [line for line in rest if not line.startswith("<")]


@pytest.mark.parametrize(("words", "arguments"), [
    ((), ["-a", "--"]),
    (("a@b", "c"), ["-a", "--", "a@b", "c"]),
    (("-t",), ["-H", "--"]),
    (("-t", "a"), ["-H", "--", "a"]),
    (("-fs@t", "a"), ["-a", "-f", "s@t", "--", "a"]),
    (("-f", "", "a"), ["-a", "-f", "", "--", "a"]),
    (("-ti", "--", "-x"), ["-H", "--", "-x"]),
    (("-i", "-oi", "-odb", "-oem", "-v", "-m", "-em", "-x", "-Bx", "-px", "-Exyz", "-J", "-bm", "r"), ["-a", "--", "r"]),
    (("-oQ/tmp/x", "r"), ["-a", "--", "r"]),
])
def test_it_becomes_qmail_inject(home, words, arguments):
    assert become(home, *words)[:2] == ("qmail-inject", arguments)


def test_the_name(home):
    assert "MAILNAME=Full Name" in become(home, "-F", "Full Name")[2]
    assert "MAILNAME=x  Bcc: y" in become(home, "-F", "x\r\nBcc: y")[2]


def test_a_sender_is_the_author_too(home):
    old = dict.fromkeys(("QMAILNAME", "MAILNAME", "NAME", "QMAILHOST", "MAILHOST", "QMAILUSER"), "old")
    env = become(home, "-f", "a@b@c.d", "-F", "Name", **old)[2]
    assert "QMAILUSER=a@b" in env and "QMAILHOST=c.d" in env
    assert not any(line.partition("=")[0] in ("QMAILNAME", "MAILNAME", "NAME", "MAILHOST") for line in env)
    env = become(home, "-f", "a", **old)[2]
    assert "QMAILUSER=a" in env and not any(line.startswith("QMAILHOST=") for line in env)


def test_a_sender_with_a_line_break(home):
    _, arguments, env = become(home, "-f", "a\nX: b@c\r\nd")
    assert arguments == ["-a", "-f", "a X: b@c  d", "--"]
    assert "QMAILHOST=c  d" in env


@pytest.mark.parametrize("words", [("-bs",), ("-t", "-bs", "x"), ("-bsx",)])
def test_smtp(home, words):
    name, arguments, env = become(home, *words)
    assert (name, arguments) == ("qmail-smtpd", [])
    assert [line for line in env if line in LOCAL] == LOCAL


def test_smtp_behind_a_listener(home):
    env = become(home, "-bs", PROTO="TCP", TCPREMOTEIP="192.0.2.1")[2]
    assert "TCPREMOTEIP=192.0.2.1" in env
    assert not any(line.startswith(("RELAYCLIENT", "DATABYTES", "TCPLOCAL")) for line in env)


def test_the_queue(home):
    assert become(home, "-bp")[0] == "qmail-qread"
    assert become(home, argv0="/usr/bin/mailq")[0] == "qmail-qread"


def test_newaliases(home):
    done = home.run("sendmail", argv0="newaliases")
    assert done.returncode == 100 and b"fastforward/newaliases" in done.stderr


@pytest.mark.parametrize("words", [("-bd",), ("-b", "i"), ("-X/tmp/log",), ("-C/etc/x",), ("-z",), ("-f",)])
def test_wrong_options(home, words):
    done = home.run("sendmail", *words)
    assert done.returncode == 100 and b"sendmail: usage: sendmail " in done.stderr
    assert done.stdout == b""


def test_a_program_that_is_not_there(home):
    (home.path / "bin/qmail-inject").unlink()
    done = home.run("sendmail", "a")
    assert (done.returncode, done.stderr) == (111, b"sendmail: fatal: unable to run qmail-inject\n")
