"""Trouble, and how a program ends."""

import errno
import os
import subprocess
import sys

import pytest

from qmailpy import exits
from qmailpy.exits import Permanent, Temporary, Trouble, Usage, bug, during, is_temporary, outcome

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def ending(problem, capfd, argv=("/some/prog",)):
    """(exit status, what stands on standard error) of a main that raises `problem`, or returns it."""
    def main(argv, env):
        if isinstance(problem, BaseException):
            raise problem
        return problem

    return outcome(main, list(argv), {}), capfd.readouterr().err


@pytest.mark.parametrize(("problem", "status", "said"), [
    (0, 0, ""),
    (99, 99, ""),
    (Temporary("disk on fire"), 111, "prog: fatal: disk on fire\n"),
    (Permanent("no such thing"), 100, "prog: fatal: no such thing\n"),
    (Usage("prog file"), 100, "prog: usage: prog file\n"),
    (BrokenPipeError(errno.EPIPE, "x"), 111, ""),
])
def test_how_a_program_ends(problem, status, said, capfd):
    assert ending(problem, capfd) == (status, said)


def test_a_bug_is_temporary_and_told_in_one_line(capfd):
    status, said = ending(ValueError("odd"), capfd)
    assert status == 111
    assert said.startswith("prog: fatal: internal error: ValueError: odd at ")
    assert said.count("\n") == 1 and "Traceback" not in said


def test_a_bug_names_the_places(capfd):
    try:
        {}["x"]
    except KeyError as problem:
        assert "test_exits.py:" in bug(problem)


def test_an_unforeseen_error_of_the_system_has_qmails_wording():
    assert "file does not exist" in bug(FileNotFoundError(errno.ENOENT, "No such file"))


def test_without_a_name(capfd):
    assert ending(Temporary("x"), capfd, argv=())[1] == "qmailpy: fatal: x\n"


def test_bytes_in_messages_survive(capfdbinary):
    outcome(lambda argv, env: (_ for _ in ()).throw(Temporary("bad \udcff")), ["prog"], {})
    assert capfdbinary.readouterr().err == b"prog: fatal: bad \xff\n"


def test_during():
    with pytest.raises(Temporary, match=r"^unable to open x: file does not exist$") as caught, during("unable to open x", "4.3.0"):
        open("/nonexistent/file")
    assert caught.value.status == "4.3.0"
    with pytest.raises(ValueError, match="other"), during("unable to open x"):
        raise ValueError("other")
    with during("unable to do nothing"):
        pass


@pytest.mark.parametrize(("number", "expected"), [
    (errno.ENOSPC, True), (errno.EIO, True), (errno.EAGAIN, True), (errno.ENOENT, False), (errno.EACCES, False), (None, False)])
def test_which_errors_are_temporary(number, expected):
    assert is_temporary(number) is expected


def test_trouble_is_temporary_unless_it_says_so():
    assert Trouble("x").code == 111


RUN = """
import sys
sys.path[:0] = [{top!r}]
from qmailpy.exits import run
def main(argv, env):
    print("said", *argv, env["X"])
    return 7
run(main, ["a", "b"], {{"X": "y"}})
"""


def test_run_ends_the_process_and_loses_no_output():
    done = subprocess.run([sys.executable, "-I", "-S", "-c", RUN.format(top=TOP)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (7, "said a b y\n")


def test_a_closed_standard_error_changes_nothing():
    script = f"import sys; sys.path[:0] = [{TOP!r}]; from qmailpy.exits import *; run(lambda a, e: (_ for _ in ()).throw(Permanent('x')), ['p'], {{}})"
    done = subprocess.run(["/bin/sh", "-c", 'exec "$0" -I -S -c "$1" 2>&-', sys.executable, script], timeout=60)
    assert done.returncode == 100


@pytest.fixture
def tenure(monkeypatch):
    monkeypatch.setattr(exits, "TENURE", exits.Tenure())
    return exits.TENURE


def test_a_new_process_may_serve():
    assert not exits.Tenure().reason and not exits.Tenure().warm


def test_rule_10_the_first_reason_to_retire_counts(tenure):
    exits.retire("a password")
    exits.retire("a private key")
    assert exits.TENURE.reason == "a password"


def test_rule_10_an_unforeseen_exception_is_a_reason(tenure):
    try:
        raise ValueError("x")
    except ValueError as problem:
        exits.bug(problem)
    assert exits.TENURE.reason == "unforeseen exception"
    assert "ValueError: x at test_exits.py:" in exits.TENURE.trace


def test_an_exceptions_own_words_are_part_of_one_line(capfd):
    status, said = ending(ValueError("250 ok\r\n\x1b[2J" + "x" * 10000), capfd)
    assert (status, said.count("\n"), "\r" in said, "\x1b" in said) == (111, 1, False, False)
    assert "250 ok???[2Jxxx" in said and len(said) < 500
