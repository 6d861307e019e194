"""Delivery to programs."""

import os
import signal
import time

import pytest

from qmailpy.exits import Temporary
from qmailpy.local.command import Refused, deliver


def run(command, place="/", **env):
    return deliver(command.encode(), os.fsencode(str(place)), {"PATH": os.environ["PATH"], **env})


@pytest.mark.parametrize(("code", "goes_on"), [(0, True), (99, False)])
def test_success(code, goes_on):
    assert run(f"exit {code}") == goes_on


@pytest.mark.parametrize(("code", "refusal"), [(100, 100), (64, 100), (65, 100), (70, 100), (76, 100), (77, 100), (78, 100), (112, 100), (111, 111), (1, 111), (71, 111),
                                               (74, 111), (75, 111), (255, 111), (98, 111)])
def test_refusals(code, refusal):
    with pytest.raises(Refused) as problem:
        run(f"exit {code}")
    assert problem.value.code == refusal


def test_a_program_that_dies_or_is_not_there():
    with pytest.raises(Temporary, match="child crashed"):
        run("kill -9 $$")
    with pytest.raises(Refused) as problem:
        run("/no/such/program")
    assert problem.value.code == 111


def test_it_runs_in_the_home_and_words_in_variables_are_no_commands(tmp_path):
    run('echo "$SENDER" > said; pwd > place', tmp_path, SENDER='"; touch evil; $(touch evil) `touch evil`')
    assert (tmp_path / "said").read_text() == '"; touch evil; $(touch evil) `touch evil`\n'
    assert (tmp_path / "place").read_text() == f"{tmp_path}\n"
    assert not (tmp_path / "evil").exists()


def test_signals_are_at_their_default(tmp_path):
    run("grep -E 'Sig(Blk|Ign)' /proc/self/status > signals", tmp_path)
    blocked, ignored = (int(line.split()[1], 16) for line in (tmp_path / "signals").read_text().splitlines())
    assert blocked == 0
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGALRM, signal.SIGTERM, signal.SIGHUP):
        assert not ignored & 1 << number - 1, number


def test_a_program_that_takes_too_long_is_ended_with_what_it_has_started(tmp_path):
    begin = time.monotonic()
    with pytest.raises(Temporary, match="Timeout on delivery to program"):
        deliver(b"sleep 600 & echo $! > child; echo $$ > parent; wait", os.fsencode(str(tmp_path)), {"PATH": os.environ["PATH"]}, 1)
    assert time.monotonic() < begin + 30
    for name in ("parent", "child"):
        with pytest.raises(FileNotFoundError):
            os.readlink(f"/proc/{(tmp_path / name).read_text().strip()}/exe")


def test_a_program_that_is_in_time():
    assert deliver(b"exit 99", b"/", {"PATH": os.environ["PATH"]}, 600) is False
