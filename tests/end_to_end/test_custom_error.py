"""The custom error message of a queue program, row by row, and through every program that queues (aio: QMAILQUEUE and the custom error message)."""

import os
import subprocess
import sys

import pytest

from qmailpy.text.netstring import encoded
from tests.checkout import LittleHome

MAIL = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nNOOP\r\nQUIT\r\n"
QMTP = encoded(b"\nSubject: x\n\n") + encoded(b"a@b") + encoded(encoded(b"c@d") + encoded(b"e@f"))
QMQP = encoded(encoded(b"Subject: x\n\n") + encoded(b"a@b") + encoded(b"c@d"))
LATER = "451 qq temporary problem (#4.3.0)"
VARIABLES = {"SENDER": "s@x", "NEWSENDER": "s@x", "DTLINE": "Delivered-To: y\n", "RPLINE": "", "HOST": "h"}


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def refuse(home, script):
    """Let the queue program be this shell script, behind the reading of what it gets."""
    home.program("recorder", "#!/bin/sh\ncat > /dev/null; cat <&1 > /dev/null\n" + script)


@pytest.mark.parametrize(("script", "reply"), [
    ("printf 'Dno spam please (#5.7.1)' >&2; exit 82", "554 no spam please (#5.7.1)"),
    ("echo 'Dno spam please (#5.7.1)' >&2; exit 82", "554 no spam please (#5.7.1)"),
    ("printf 'Ztry later (#4.3.0)' >&2; exit 82", "451 try later (#4.3.0)"),
    ("exit 82", LATER), ("printf D >&2; exit 82", LATER), ("echo D >&2; exit 82", LATER), ("echo Hello world >&2; exit 82", "451 ello world"),
    ("echo Dtext >&2; exit 31", "554 mail server permanently rejected message (#5.3.0)"), ("echo Dtext >&2; exit 0", "250 ok "),
    ("head -c 400 /dev/zero | tr '\\0' x | sed s/^/D/ >&2; exit 82", "554 " + "x" * 254),
    ("echo 'Dfour' >&4; exit 82", "554 four"), ("echo 'Zsix' >&6; exit 82", "451 six"), ("printf 'Dtwo\\r\\n250 lines\\001\\351\\n' >&2; exit 82", "554 two??250 lines??"),
    ("kill -9 $$", "451 qq crashed (#4.3.0)"), ("exit 54", "451 qq read error (#4.3.0)"),
])
def test_each_row_is_one_clean_line(home, script, reply):
    refuse(home, script)
    replies = home.run("qmail-smtpd", stdin=MAIL).stdout.decode().split("\r\n")
    assert replies[4].startswith(reply) if reply.startswith("250") else replies[4] == reply
    assert replies[5:] == ["250 ok", "221 me.example", ""]


def test_what_cannot_be_executed(home):
    home.recorder.chmod(0o644)
    assert b"\r\n451 unable to exec qq (#4.3.0)\r\n" in home.run("qmail-smtpd", stdin=MAIL).stdout


def test_an_empty_name_is_the_homes_own_program(home):
    home.program("qmail-queue", "#!/bin/sh\nexit 71\n")
    assert b"\r\n451 mail server temporarily rejected message (#4.3.0)\r\n" in home.run("qmail-smtpd", stdin=MAIL, QMAILQUEUE="").stdout


@pytest.mark.parametrize(("program", "stdin", "reply"), [("qmail-qmtpd", QMTP, lambda text: encoded(text) * 2), ("qmail-qmqpd", QMQP, encoded)])
@pytest.mark.parametrize("text", [b"Dno spam please (#5.7.1)", b"Ztry later (#4.3.0)"])
def test_servers_send_it_with_its_letter(home, program, stdin, reply, text):
    refuse(home, f"echo '{text.decode()}' >&2; exit 82\n")
    assert home.run(program, stdin=stdin).stdout == reply(text)


@pytest.mark.parametrize("command", [["qmail-inject", "c@d"], ["sendmail", "c@d"], ["forward", "c@d"], ["condredirect", "c@d", "true"]], ids=lambda command: command[0])
@pytest.mark.parametrize(("letter", "code"), [("D", 100), ("Z", 111)])
def test_programs_print_it_and_tell_its_kind_by_their_exit(home, command, letter, code):
    refuse(home, f"echo '{letter}no, thanks (#7.7.7)' >&2; exit 82\n")
    home.link("qmail-inject")
    done = run(home, command[0], *command[1:])
    assert done.returncode == code
    assert b": fatal: no, thanks (#7.7.7)\n" in done.stderr


@pytest.mark.parametrize(("letter", "code"), [("D", 100), ("Z", 111)])
def test_qmail_local_says_it_of_a_forward(home, letter, code, tmp_path):
    refuse(home, f"echo '{letter}no, thanks (#7.7.7)' >&2; exit 82\n")
    user = tmp_path / "joe"
    user.mkdir()
    (user / ".qmail").write_text("&c@d\n")
    done = run(home, "qmail-local", "joe", str(user), "joe", "", "", "h.example", "s@x", "./Mailbox")
    assert (done.returncode, done.stderr) == (code, b"Unable to forward message: no, thanks (#7.7.7).\n")


def run(home, program, *words):
    """Run a program of qmail-local's kind on a message that can be read again."""
    (home.path / "message").write_bytes(b"To: c@d\n\nbody\n")
    command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), program, program, *words]
    with open(home.path / "message", "rb") as stdin:
        return subprocess.run(command, stdin=stdin, capture_output=True, env={"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder), **VARIABLES}, timeout=60)
