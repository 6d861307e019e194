"""qmail-bench, end to end: a short run with a peer, what it leaves behind, and what it says of wrong words."""

import json
import os
import signal
import subprocess
from xml.etree import ElementTree

import pytest

from tests.bench.test_scratch import listing
from tests.maildirs import Place


@pytest.fixture
def place():
    with Place() as folder:
        yield folder


def bench(home, folder, *words, **how):
    return subprocess.run([home.program("qmail-bench"), "--disk", folder, "--memory", folder, *words], env={"PATH": "/usr/bin:/bin"}, capture_output=True,
                          text=True, timeout=300, **how)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_short_run(kind, request, place, tmp_path):
    home = request.getfixturevalue(kind)
    before = listing(home.path)
    done = bench(home, place, "--rounds", "1", "--figures", "latency, start", "--places", "disk", "--no-postfix",
                 "--json", tmp_path / "out.json", "--plot", tmp_path / "out.svg")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"qmailpy: 0.1 in {home.path}" in done.stdout
    tables = {one["figure"]: one for one in json.loads((tmp_path / "out.json").read_text())["tables"]}
    assert list(tables) == ["start", "latency"]
    assert [one["name"] for one in tables["start"]["contenders"]] == [
        "bare interpreter", "qmailpy: qmail-smtpd", "qmailpy: qmail-queue", "qmailpy: qmail-local", "qmailpy: qmail-remote"], tables
    assert [(one["name"], len(one["values"])) for one in tables["latency"]["contenders"]] == [("qmailpy", 1)], tables
    assert ElementTree.parse(tmp_path / "out.svg").getroot().tag.endswith("svg")
    assert done.stderr.splitlines() == ["start, disk", "starting qmailpy on disk", "latency, disk"]
    assert os.listdir(place) == []
    assert listing(home.path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_home_that_is_there_takes_part_and_is_left_as_it_was(single, multi, place):
    before = listing(multi.path)
    done = bench(single, place, "--rounds", "1", "--figures", "latency", "--places", "disk", "--no-postfix", "--peer", multi.path)
    assert done.returncode == 0, done.stdout + done.stderr
    if "unshare" in done.stdout:
        pytest.skip("needs the right to mount")
    assert f"  qmail in {multi.path}  " in done.stdout
    assert "not measured" not in done.stdout
    assert listing(multi.path) == before


def test_an_interrupted_run_leaves_nothing(single, place):
    running = subprocess.Popen([single.program("qmail-bench"), "--disk", place, "--places", "disk", "--figures", "latency", "--rounds", "100", "--no-postfix"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert running.stderr.readline() == "starting qmailpy on disk\n"
    assert running.stderr.readline() == "latency, disk\n"
    running.send_signal(signal.SIGTERM)
    assert running.stderr.read() == "qmail-bench: fatal: interrupted\n"
    assert running.wait() == 111
    assert os.listdir(place) == []


@pytest.mark.parametrize(("words", "said"), [
    (["--figures", "speed"], "speed: there is only start, filters, accept"),
    (["--places", "tape"], "tape: there is only disk, memory"),
    (["--rounds", "0"], "0 is not in the range"),
    (["--peer", "/nowhere"], "'/nowhere' does not exist"),
    (["more"], "unexpected extra argument (more)"),
])
def test_wrong_words(single, tmp_path, words, said):
    done = bench(single, tmp_path, *words)
    assert done.returncode == 100
    assert done.stderr.startswith("qmail-bench: usage: qmail-bench [ options ]: ") and said in done.stderr


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(single, tmp_path):
    done = bench(single, tmp_path, "--json", "/nowhere/out")
    assert (done.returncode, done.stdout, done.stderr) == (111, "", "qmail-bench: fatal: /nowhere/out: No such file or directory\n")


def test_help_names_all_figures(single, tmp_path):
    done = bench(single, tmp_path, "--help")
    assert done.returncode == 0
    for figure in ("start", "accept", "local", "remote", "latency", "idle", "backlog"):
        assert figure in done.stdout
