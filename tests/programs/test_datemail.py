"""datemail: sendmail, with a date in local time."""

import re

import pytest

from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def test_it_becomes_predate_which_runs_sendmail(home):
    home.program("predate", '#!/bin/sh\nfor word; do echo "<$word>"; done\n')
    done = home.run("datemail", "-t", "a  b", "", "--")
    assert done.stdout.decode() == f"<{home.path}/bin/sendmail>\n<-t>\n<a  b>\n<>\n<-->\n"


def test_a_message_is_queued(home):
    for name in ("predate", "sendmail", "qmail-inject"):
        home.link(name)
    done = home.run("datemail", "-fs@x.example", "a@b.example", stdin=b"Subject: x\n\nbody\n", TZ="EET-2")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    message, envelope = home.queued()
    assert re.search(rb"^Date: \d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0200\n", message, re.MULTILINE)
    assert message.count(b"Date: ") == 1 and message.endswith(b"Subject: x\n\nbody\n")
    assert envelope == b"Fs@x.example\0Ta@b.example\0\0"


def test_sendmails_exit_code_is_ours(home):
    home.link("predate")
    home.program("sendmail", "#!/bin/sh\nexit 75\n")
    assert home.run("datemail").returncode == 75


def test_without_predate(home):
    done = home.run("datemail")
    assert (done.returncode, done.stderr) == (111, f"datemail: fatal: unable to run {home.path}/bin/predate: file does not exist\n".encode())
