"""The promises under kills, power cuts and faults, in short form; and that the instrument sees when one is broken."""

import os
import subprocess
import sys

import pytest

from tests.checkout import TOP

# What is broken before the accidents begin.
FORGETFUL = """
from crash import world

age = world.World.age


def forget(self):
    age(self)
    boot = self.path / "queue/lock/boot"
    boot.write_text(boot.read_text().partition("\\n")[0] + "\\n")
    for name in self.files("queue/local", "queue/remote"):
        data = (self.path / name).read_bytes()
        (self.path / name).write_bytes(b"".join(b"T" + record[1:] + b"\\0" for record in data.split(b"\\0")[:-1]))


world.World.age = forget
"""  # no done mark is there any more when the daemons start again, nor what lock/boot notes
SANGUINE = """
from qmailpy.spawn import report

of_local = report.of_local
report.of_local = lambda status, output: of_local(max(status, 0), output)
"""  # a qmail-local that was killed has delivered
UNTIDY = """
from crash import world
from qmailpy.programs import qmail_clean
from qmailpy.unix import files

world.PATIENCE = 1
qmail_clean.remove = lambda path: "/intd/" in path or files.remove(path)
"""  # intd/N stays


def crash(*words, broken="pass", status=0, raw=False):
    """The figures of a run: {kind: {word: count}}."""
    code = f"import os, sys\n{broken}\nfrom crash.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    env = {**os.environ, "PYTHONPATH": f"{TOP}:{TOP}/.build/site"}
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=TOP, env=env, capture_output=True, text=True, timeout=120)
    assert status in (None, done.returncode), done.stdout + done.stderr
    if raw:
        return done.stdout + done.stderr
    lines = [line.partition(": ") for line in done.stdout.split("\n") if line.split(": ")[0] in words]
    assert lines, done.stdout + done.stderr
    return {kind: {word: int(count) for word, count in (pair.split(" ") for pair in figures.split(", "))} for kind, _, figures in lines}


def test_kills():
    figures = crash("kills", "--every", "37")["kills"]
    assert figures.pop("points") >= 8
    assert {"lost", "duplicated", "stuck", "torn"} <= set(figures) and not any(figures.values())


def test_a_worker_of_the_queues_pool_is_killed_as_well():
    figures = crash("kills", "--every", "15", "--only", "queue pool")["kills"]
    assert figures.pop("points") >= 4
    assert not any(figures.values())


@pytest.mark.parametrize(("broken", "where", "word"), [
    (FORGETFUL, "qmail-send", "duplicated"), (SANGUINE, "qmail-local", "lost"),
], ids=["done marks are forgotten", "a killed qmail-local has delivered"])
def test_a_broken_promise_is_seen(broken, where, word):
    figures = crash("kills", "--every", "5", "--first", "--only", where, broken=broken, status=1)["kills"]
    assert figures[word] > 0


def test_what_stays_in_the_queue_is_seen():
    assert "stuck: queue/intd/" in crash("kills", broken=UNTIDY, status=2, raw=True)


def test_faults():
    figures = crash("faults", "--every", "250")["faults"]
    assert figures.pop("faults") >= 6  # how many operations a daemon needs depends on who is faster
    assert not any(figures.values())


def test_power_cuts():
    figures = crash("power", "--every", "83")["power"]
    assert figures.pop("states") >= 12
    assert {"lost", "stuck", "torn", "astray"} == set(figures) and not any(figures.values())


@pytest.mark.parametrize(("broken", "every"), [
    ("from qmailpy.queue import put; put.sync_folder = lambda path: None", "4"), ("from qmailpy.local import maildir; maildir.sync_new = lambda *words: None", "4"),
    ("from qmailpy.unix import files; files.Disk.sync = lambda self, paths: set()", "9"),
    ("from qmailpy.queue import put; put.sync_together = lambda fds: None", "9"),
    ("from crash.watch import Watch; Watch.sync_together = lambda self, fds: len(fds)", "29"),
], ids=["names in the queue", "names in a Maildir", "what qmail-send makes and removes", "messages", "what a worker of the pool syncs side by side"])
def test_a_sync_that_is_left_out_is_seen(broken, every):
    figures = crash("power", "--every", every, "--first", broken=broken, status=1)["power"]
    assert sum(figures.values()) > figures["states"]
