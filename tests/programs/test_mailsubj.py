"""mailsubj: what qmail-inject gets, and how it ends."""

import pytest

from tests.checkout import LittleHome

KEEP = '#!/bin/sh\necho "$#" "$QMAILUSER"\nexec cat\n'


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.mark.parametrize(("words", "head"), [
    (("the subject", "a@b.example", "c"), b"Subject: the subject\nTo: a@b.example c\n\n"),
    (("the  subject",), b"Subject: the  subject\nTo: \n\n"),
    (("", "a"), b"Subject: \nTo: a\n\n"),
    (("back\\nslash \\c", "-n"), b"Subject: back\\nslash \\c\nTo: -n\n\n"),
    ((b"\xff", b"\xfe@x"), b"Subject: \xff\nTo: \xfe@x\n\n"),
    (("x\nBcc: all@x\r\n", "a\nb@x"), b"Subject: x Bcc: all@x  \nTo: a b@x\n\n"),
])
def test_subject_recipients_and_body(home, words, head):
    home.program("qmail-inject", KEEP)
    done = home.run("mailsubj", *words, stdin=b"body\n.\n", QMAILUSER="joe")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0 joe\n" + head + b"body\n.\n", b"")


def test_a_message_is_queued(home):
    home.link("qmail-inject")
    done = home.run("mailsubj", "hello", "a@b.example", "c", stdin=b"body\n", QMAILUSER="joe", QMAILHOST="h.example")
    assert (done.returncode, done.stderr) == (0, b"")
    message, envelope = home.queued()
    assert message.endswith(b"\nFrom: joe@h.example\nSubject: hello\nTo: a@b.example, c@me.example\n\nbody\n")
    assert envelope == b"Fjoe@h.example\0Tc@me.example\0Ta@b.example\0\0"


def test_injects_exit_code_is_ours(home):
    home.link("qmail-inject")
    home.queue_exits(53)
    done = home.run("mailsubj", "hello", "a@b.example")
    assert (done.returncode, done.stderr) == (111, b"qmail-inject: fatal: qq write error or disk full (#4.3.0)\n")
    done = home.run("mailsubj", "hello", "a@(")
    assert done.returncode == 100 and done.stderr.startswith(b"qmail-inject: fatal: unable to parse this line:\n")


def test_an_inject_that_is_missing_or_crashes_is_temporary(home):
    done = home.run("mailsubj", "hello", "a@b.example")
    assert (done.returncode, done.stderr) == (111, f"mailsubj: fatal: unable to run {home.path}/bin/qmail-inject: file does not exist\n".encode())
    home.program("qmail-inject", "#!/bin/sh\nkill -9 $$\n")
    done = home.run("mailsubj", "hello", "a@b.example")
    assert (done.returncode, done.stderr) == (111, b"mailsubj: fatal: child crashed\n")


def test_usage(home):
    done = home.run("mailsubj")
    assert (done.returncode, done.stderr) == (100, b"mailsubj: usage: mailsubj subject recip ...\n")
