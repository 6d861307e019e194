"""forward: what is queued, for whom, and what becomes of it when that fails."""

import re

import pytest

from tests.checkout import LittleHome
from tests.dotqmail import DELIVERY, LONG, MESSAGE, outcome, run


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.mark.parametrize("message", [b"", MESSAGE, MESSAGE + b"no end", LONG], ids=["empty", "short", "no newline", "long"])
def test_a_message_goes_to_all_arguments(home, message):
    done = run(home, "forward", "a@b.example", "c", message=message)
    assert (done.returncode, done.stdout) == (0, b"")
    assert re.fullmatch(rb"forward: qp \d+\n", done.stderr)
    assert home.queued() == (DELIVERY["DTLINE"].encode() + message, b"Fowner@x.example\0Ta@b.example\0Tc\0\0")


@pytest.mark.parametrize(("words", "records"), [((), b""), (("",), b"T\0"), ((b"\xff@b",), b"T\xff@b\0"), (("-n",), b"T-n\0")])
def test_arguments_are_taken_as_they_are(home, words, records):
    assert run(home, "forward", *words, NEWSENDER="").returncode == 0
    assert home.queued()[1] == b"F\0" + records + b"\0"


def test_a_message_begins_where_the_descriptor_stands(home):
    assert run(home, "forward", "a@b", before="read line").returncode == 0
    assert home.queued()[0] == DELIVERY["DTLINE"].encode() + MESSAGE.partition(b"\n")[2]


@pytest.mark.parametrize("name", ["NEWSENDER", "DTLINE"])
def test_variables_of_the_delivery_are_needed(home, name):
    assert outcome(run(home, "forward", "a@b", without=[name])) == (100, b"", f"forward: fatal: {name} not set\n".encode())
    assert home.queued() is None


@pytest.mark.parametrize(("before", "why"), [("exec <&-", b"file descriptor not open"), ("exec 0>out", b"file descriptor not open")])
def test_a_message_that_cannot_be_read(home, before, why):
    assert outcome(run(home, "forward", "a@b", before=before)) == (111, b"", b"forward: fatal: unable to read message: " + why + b"\n")
    assert home.queued()[1] == b""


@pytest.mark.parametrize(("code", "says", "status", "said"), [
    (31, "", 100, b"mail server permanently rejected message (#5.3.0)"), (82, "Dgo away", 100, b"go away"),
    (53, "", 111, b"qq write error or disk full (#4.3.0)"), (82, "Zlater", 111, b"later"),
])
def test_what_the_queue_says(home, code, says, status, said):
    home.queue_exits(code, says)
    assert outcome(run(home, "forward", "a@b")) == (status, b"", b"forward: fatal: " + said + b"\n")


def test_no_descriptors_for_a_queue_program(home):
    done = run(home, "forward", "a@b", before="exec 3<&0 4<&0; ulimit -n 12")
    assert outcome(done) == (111, b"", b"forward: fatal: unable to fork: process cannot open more files\n")
