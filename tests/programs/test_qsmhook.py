"""qsmhook: arguments as sendmail's mailers had them, and the lines before the message."""

import pytest

from qmailpy.programs.qsmhook import filled, without
from tests.checkout import LittleHome
from tests.dotqmail import DELIVERY, HEAD, LONG, MESSAGE, outcome, run

UFLINE, RPLINE, DTLINE = (DELIVERY[name].encode() for name in ("UFLINE", "RPLINE", "DTLINE"))


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.mark.parametrize(("word", "text"), [
    (b"", b""), (b"plain", b"plain"), (b"%u", b"U"), (b"-d%u.%h", b"-dU.H"), (b"%g%g", b"GG"), (b"%%u", b"%u"), (b"%%%u", b"%U"), (b"%x", b""), (b"%x%%u", b"%u"),
    (b"end%", b"end"), (b"%%%", b"%"),
])
def test_what_percent_signs_become(word, text):
    assert filled(word, {b"%": b"%", b"g": b"G", b"h": b"H", b"u": b"U"}) == text


@pytest.mark.parametrize(("prefix", "rest"), [(b"", b"List-\xc4nn"), (b"list-", b"\xc4nn"), (b"LIST-\xc4NN", b""), (b"list-\xe4", b"List-\xc4nn"), (b"other", b"List-\xc4nn")])
def test_a_prefix_in_either_case_of_ascii(prefix, rest):
    assert without(prefix, b"List-\xc4nn") == rest


def test_arguments(home):
    done = run(home, "qsmhook", "-x", "JO", "sh", "-c", 'cat >/dev/null; for word; do echo "<$word>"; done', "sh", "%u@%h", "from %g", "%%", "%q", SENDER="a$b; c@x")
    assert outcome(done) == (0, b"<e@me.example>\n<from a$b; c@x>\n<%>\n<>\n", b"")


def test_the_program_itself_may_be_named_by_the_address(home):
    assert outcome(run(home, "qsmhook", "%u", LOCAL="cat")) == (0, UFLINE + MESSAGE, b"")


@pytest.mark.parametrize(("options", "head"), [
    ([], UFLINE), (["-n"], b""), (["-P"], UFLINE + RPLINE), (["-l"], UFLINE + DTLINE), (["-lP"], HEAD), (["-nPl"], RPLINE + DTLINE),
    (["-DFMms", "--"], UFLINE),
])
def test_lines_before_the_message(home, options, head):
    assert outcome(run(home, "qsmhook", *options, "cat", message=LONG)) == (0, head + LONG, b"")


@pytest.mark.parametrize(("script", "status", "said"), [("exit 0", 0, b""), ("exit 1", 1, b""), ("exit 75", 75, b""), ("kill -9 $$", 111, b"qsmhook: fatal: temporary problem\n")])
def test_the_programs_exit_code_is_ours(home, script, status, said):
    assert outcome(run(home, "qsmhook", "sh", "-c", script, message=LONG)) == (status, b"", said)


def test_a_program_that_is_not_there(home):
    assert outcome(run(home, "qsmhook", "no-such-program")) == (100, b"", b"qsmhook: fatal: command not found\n")


def test_a_message_that_cannot_be_read_is_not_taken_for_a_short_one(home):
    done = run(home, "qsmhook", "sh", "-c", "cat >/dev/null; touch done", before="exec <&-")
    assert outcome(done) == (111, b"", b"qsmhook: fatal: unable to read message\n")
    assert not (home.path / "done").exists()


INCORRECT = b"qsmhook: fatal: incorrect usage\n"


@pytest.mark.parametrize("name", ["DTLINE", "RPLINE", "UFLINE", "LOCAL", "HOST", "SENDER"])
def test_variables_of_the_delivery_are_needed(home, name):
    assert outcome(run(home, "qsmhook", "cat", without=[name])) == (100, b"", INCORRECT)


@pytest.mark.parametrize(("words", "said"), [
    ([], INCORRECT), (["-n"], INCORRECT), (["-z", "cat"], b"qsmhook: illegal option -- z\n"), (["-x"], b"qsmhook: option requires an argument -- x\n"),
])
def test_wrong_usage(home, words, said):
    assert outcome(run(home, "qsmhook", *words)) == (100, b"", said)
