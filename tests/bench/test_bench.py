"""A run: in a process of its own, since it ends all processes that descend from it."""

import json
import os
import subprocess
import sys

import pytest

from qmailpy.bench.bench import closed_folder, file_system, reason
from qmailpy.bench.measure import Failed
from tests.home import TOP

SCRIPT = """
import json, os, sys
from qmailpy.bench.bench import Bench, Plan
from qmailpy.home import parse
from qmailpy.unix.descendants import descendants
path, parent, peer = sys.argv[1:]
home = parse(open(path + "/lib/qmailpy/current/home.conf").read())
told = []
bench = Bench(home, Plan(1, ("disk", "memory"), {"disk": parent, "memory": parent + "/none"}, peer, postfix=False), told.append)
place = bench.places[0]
servers = list(bench.up(place, 2))
first = [server.port for server in servers]
again = [server.port for server in bench.up(place, 2)]
bench.restart(servers[0])
queued = [server.queued() for server in servers]
homes = [home.name for home in bench.homes(place)]
running = len(descendants())
bench.close()
print(json.dumps({"names": [server.name for server in servers], "same": first == again, "queued": queued, "homes": homes, "skipped": bench.skipped,
                  "running": running, "left": len(descendants()), "files": os.listdir(parent), "told": told}))
"""


def run(home, parent, peer=""):
    done = subprocess.run([sys.executable, "-c", SCRIPT, home, parent, peer], env={"PYTHONPATH": str(TOP)}, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_servers_are_up_as_long_as_they_are_wanted_and_nothing_is_left(single, place):
    found = run(single.path, place)
    assert found["names"] == found["homes"] == ["qmailpy"]
    assert found["same"] and found["queued"] == [2]
    assert found["running"] == 1  # the sink
    assert (found["left"], found["files"]) == (0, [])
    assert found["skipped"] == [["memory", f"{place}/none: No such file or directory"]]
    assert found["told"] == ["starting qmailpy on disk with 2 messages"]


def test_a_peer_that_is_no_home_is_skipped_and_the_others_go_on(single, place):
    found = run(single.path, place, str(place))
    assert found["names"] == ["qmailpy"]
    assert f"qmail in {place}" in found["skipped"][-1][0]


@pytest.mark.parametrize(("problem", "text"), [
    (Failed("why"), "why"), (FileNotFoundError(2, "No such file", "/x"), "/x: No such file"), (OSError(28, "No space"), "No space"), (OSError("odd"), "odd"),
])
def test_reasons_in_words(problem, text):
    assert reason(problem) == text


@pytest.mark.skipif(os.geteuid() != 0, reason="as root only others count")
def test_a_folder_that_others_cannot_reach_is_found(place):
    (place / "a/b").mkdir(parents=True)
    assert closed_folder(str(place / "a/b")) == ""
    (place / "a").chmod(0o700)
    assert closed_folder(str(place / "a/b")) == closed_folder(str(place / "a")) == str(place / "a")


def test_file_systems_are_told_apart(tmp_path):
    assert file_system("/proc/self") == "proc"
    assert file_system(str(tmp_path)) == file_system(os.path.realpath(tmp_path)) != ""
