"""condredirect: which messages go to the new address, and what happens to the others."""

import re
import subprocess

import pytest

from tests.checkout import LittleHome
from tests.dotqmail import DELIVERY, LONG, MESSAGE, outcome, run


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


ENVELOPE = b"Fs@x.example\0Ta@b.example\0\0"


@pytest.mark.parametrize("message", [MESSAGE, LONG], ids=["short", "long"])
@pytest.mark.parametrize("script", ["exit 0", "cat >/dev/null", "head -c 3 >/dev/null"])
def test_the_message_goes_on_whole_however_much_the_program_has_read(home, message, script):
    done = run(home, "condredirect", "a@b.example", "sh", "-c", script, message=message)
    assert (done.returncode, done.stdout) == (99, b"")
    assert re.fullmatch(rb"condredirect: qp \d+\n", done.stderr)
    assert home.queued() == (DELIVERY["DTLINE"].encode() + message, ENVELOPE)


@pytest.mark.parametrize(("script", "status", "said"), [
    ("exit 1", 0, b""), ("exit 99", 0, b""), ("exit 100", 0, b""),
    ("exit 111", 111, b"condredirect: fatal: temporary child error\n"), ("kill -9 $$", 111, b"condredirect: fatal: child crashed\n"),
])
def test_others_stay(home, script, status, said):
    assert outcome(run(home, "condredirect", "a@b.example", "sh", "-c", script)) == (status, b"", said)
    assert home.queued() is None


def test_a_program_that_cannot_be_run_says_no(home):
    assert outcome(run(home, "condredirect", "a@b.example", "/no/such/program")) == (0, b"", b"")
    assert home.queued() is None


@pytest.mark.parametrize("name", ["SENDER", "DTLINE"])
def test_variables_of_the_delivery_are_needed_for_a_message_that_goes(home, name):
    assert outcome(run(home, "condredirect", "a@b", "true", without=[name])) == (100, b"", f"condredirect: fatal: {name} not set\n".encode())
    assert outcome(run(home, "condredirect", "a@b", "false", without=[name])) == (0, b"", b"")
    assert home.queued() is None


def test_the_empty_sender_stays_empty(home):
    assert run(home, "condredirect", "a@b", "true", SENDER="").returncode == 99
    assert home.queued()[1] == b"F\0Ta@b\0\0"


def test_a_message_that_cannot_be_rewound(home):
    with subprocess.Popen(["echo"], stdout=subprocess.PIPE) as source:
        done = run(home, "condredirect", "a@b", "true", message=source.stdout)
    assert outcome(done) == (111, b"", b"condredirect: fatal: unable to rewind: unseekable descriptor\n")
    assert home.queued() is None


@pytest.mark.parametrize(("code", "says", "status", "said"), [
    (31, "", 100, b"mail server permanently rejected message (#5.3.0)"), (82, "Dgo away", 100, b"go away"),
    (53, "", 111, b"qq write error or disk full (#4.3.0)"), (82, "Zlater", 111, b"later"),
])
def test_what_the_queue_says(home, code, says, status, said):
    home.queue_exits(code, says)
    assert outcome(run(home, "condredirect", "a@b", "true")) == (status, b"", b"condredirect: fatal: " + said + b"\n")


@pytest.mark.parametrize("words", [(), ("a@b",)])
def test_usage(home, words):
    assert outcome(run(home, "condredirect", *words)) == (100, b"", b"condredirect: usage: condredirect newaddress program [ arg ... ]\n")
