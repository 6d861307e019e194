"""bouncesaying: when it bounces, what it says, and what it does not take for a judgement."""

import pytest

from tests.checkout import LittleHome
from tests.dotqmail import MESSAGE, outcome, run


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def test_always(home):
    assert outcome(run(home, "bouncesaying", "sorry, no")) == (100, b"", b"sorry, no\n")


def test_a_text_of_any_bytes(home):
    assert outcome(run(home, "bouncesaying", b"\xff\xc3\xa4")) == (100, b"", b"\xff\xc3\xa4\n")


@pytest.mark.parametrize(("script", "status", "said"), [
    ("exit 0", 100, b"no\n"), ("exit 1", 0, b""), ("exit 99", 0, b""), ("exit 100", 0, b""),
    ("exit 111", 111, b"bouncesaying: fatal: temporary child error\n"), ("kill -9 $$", 111, b"bouncesaying: fatal: child crashed\n"),
])
def test_a_program_decides(home, script, status, said):
    assert outcome(run(home, "bouncesaying", "no", "sh", "-c", script)) == (status, b"", said)


def test_the_program_reads_the_message_and_has_our_descriptors(home):
    assert outcome(run(home, "bouncesaying", "no", "sh", "-c", "cat; echo error >&2")) == (100, MESSAGE, b"error\nno\n")


@pytest.mark.parametrize("program", ["/no/such/program", "no-such-program", "", "/etc/passwd"])
def test_a_program_that_cannot_be_run_says_no(home, program):
    assert outcome(run(home, "bouncesaying", "no", program)) == (0, b"", b"")


def test_a_script_without_an_interpreters_name_is_the_shells(home):
    home.program("judge", '[ "$1" = "a b" ] && [ "$LOCAL" = joe ]\n')
    assert outcome(run(home, "bouncesaying", "no", str(home.path / "bin/judge"), "a b")) == (100, b"", b"no\n")


def test_usage(home):
    assert outcome(run(home, "bouncesaying")) == (100, b"", b"bouncesaying: usage: bouncesaying error [ program [ arg ... ] ]\n")
