"""Hostile input in short form: each target over its corpus and some of what is made of it; and that the instrument sees when a promise is broken."""

import os
import subprocess
import sys
import time

import pytest

from fuzz import target as judging
from fuzz.__main__ import plain
from fuzz.mutate import Mutator
from fuzz.promise import Broken, promise
from fuzz.target import Endless, Judge, Target, names
from tests.checkout import TOP

SECONDS, RUNS = 1.0, 2000


@pytest.mark.parametrize("name", names())
def test_every_promise_is_kept(name, tmp_path):
    figures = plain(name, 1, SECONDS, RUNS, str(tmp_path))
    assert not figures.failures, "\n".join(path.read_text() for path in tmp_path.glob("*.why"))
    assert figures.runs > len(Target(name).corpus())


@pytest.mark.parametrize("name", names())
def test_each_target_says_what_it_promises_and_has_a_corpus(name):
    text = (TOP / "fuzz" / "targets" / f"{name}.py").read_text()
    assert "\n- " in text.split('"""')[1]
    assert len(Target(name).corpus()) >= 3


def test_the_same_seed_gives_the_same_inputs():
    def some(seed):
        mutator = Mutator(seed, [b"one 1\n", b"two 2\n"], [b"word"], 100)
        return [mutator.next() for _ in range(500)]

    inputs = some("1 x")
    assert inputs == some("1 x") != some("2 x")
    assert max(map(len, inputs)) <= 100
    assert len(set(inputs)) > 300
    assert all(any(part in data for data in inputs) for part in (b"word", b"4294967296", b"\0\0\0\0", b"oneone"))


def judge_of(monkeypatch, check):
    made = Target("netstrings")
    monkeypatch.setattr(made, "check", check)
    return Judge(made)


def endless(data):
    while True:
        try:
            time.sleep(60)
        except Exception:
            continue


def test_what_is_wrong_with_an_input_is_seen(monkeypatch):
    monkeypatch.setattr(judging, "SECONDS", 0.1)
    assert isinstance(judge_of(monkeypatch, endless).judge(b""), Endless)
    assert isinstance(judge_of(monkeypatch, lambda data: promise(not data, "it is not empty")).judge(b"x"), Broken)
    assert judge_of(monkeypatch, lambda data: None).judge(b"") is None
    kept = []
    judge = judge_of(monkeypatch, lambda data: kept.append(os.dup(2)))
    assert judge.judge(b"") is None
    assert "left open" in str(judge.judge(b""))
    for fd in kept:
        os.close(fd)


SMUGGLER = """
from qmailpy.smtp import data

feed = data.DataReader.feed
data.DataReader.feed = lambda self, block: feed(self, block.replace(b"\\n.\\r\\n", b"\\r\\n.\\r\\n").replace(b"\\r\\r\\n", b"\\r\\n"))
"""  # takes other things for the end of a message
FORGETFUL = """
from qmailpy.unix import cdb

cdb.Reader._check_tables = lambda self: None
"""  # does not see that the end of a table is missing


@pytest.mark.parametrize(("target", "bug"), [("smtp_session", SMUGGLER), ("cdb", FORGETFUL)])
def test_a_bug_is_found_kept_and_can_be_seen_again(target, bug, tmp_path):
    def run(*words):
        code = f"{bug}\nimport sys\nfrom fuzz import __main__ as fuzz\nfuzz.FOUND = {str(tmp_path)!r}\nfuzz.plain.__defaults__ = (None, fuzz.FOUND)\nsys.exit(fuzz.main(sys.argv[1:]))"
        return subprocess.run([sys.executable, "-c", code, *words], cwd=TOP, capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TOP), *sys.path])})

    done = run("--plain", "--seconds", "20", "--runs", "3000", target)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.split("\n")[-2].startswith("targets 1, runs ") and done.stdout.endswith(", failures 1\n")
    found = next(path for path in tmp_path.iterdir() if path.suffix != ".why")
    assert f"make fuzz TARGETS={target} INPUT={os.path.relpath(found, TOP)}" in done.stderr
    again = run("--input", str(found), target)
    assert (again.returncode, "Broken" in again.stderr) == (1, True)


def test_a_wrong_call_is_told():
    done = subprocess.run([sys.executable, "-m", "fuzz", "nothing"], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such target: nothing" in done.stderr
