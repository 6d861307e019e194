"""except: 0 becomes 100, 111 stays, all else becomes 0."""

import pytest

from tests.checkout import LittleHome
from tests.dotqmail import MESSAGE, outcome, run


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.mark.parametrize(("script", "status", "said"), [
    ("exit 0", 100, b""), ("exit 1", 0, b""), ("exit 99", 0, b""), ("exit 100", 0, b""),
    ("exit 111", 111, b"except: fatal: temporary child error\n"), ("kill -9 $$", 111, b"except: fatal: child crashed\n"),
])
def test_the_judgement_is_turned_around(home, script, status, said):
    assert outcome(run(home, "except", "sh", "-c", script)) == (status, b"", said)


def test_the_program_has_our_descriptors(home):
    assert outcome(run(home, "except", "cat")) == (100, MESSAGE, b"")


@pytest.mark.parametrize("program", ["/no/such/program", "no-such-program"])
def test_a_program_that_cannot_be_run_counts_as_one_that_fails(home, program):
    assert outcome(run(home, "except", program)) == (0, b"", b"")


def test_usage(home):
    assert outcome(run(home, "except")) == (100, b"", b"except: usage: except program [ arg ... ]\n")
