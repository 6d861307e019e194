"""Processes that descend from one: tried in a process of its own, since all that descend from it are ended."""

import os
import subprocess
import sys

import pytest

from qmailpy.unix.descendants import private_memory

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAMILY = """
import os, subprocess, sys, time
from qmailpy.unix.descendants import adopt_orphans, descendants, end_all, private_memory

adopt_orphans()
# A child that leaves an orphan behind, one that wants to stay, and one with a child of its own.
left = subprocess.run(["sh", "-c", "sleep 100 >/dev/null 2>&1 & echo $!"], capture_output=True, text=True)
stays = subprocess.Popen(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], stdout=subprocess.PIPE)
parent = subprocess.Popen(["sh", "-c", "sleep 100 & echo $!; wait"], stdout=subprocess.PIPE)
stays.stdout.readline()
grandchild = int(parent.stdout.readline())
found = descendants()
print(int(left.stdout) in found, stays.pid in found, parent.pid in found, grandchild in found, os.getpid() in found)
end_all(0.5)
print(len(descendants()), private_memory(grandchild))
"""


def test_children_of_children_and_orphans_are_found_and_ended():
    done = subprocess.run([sys.executable, "-c", FAMILY], env={"PYTHONPATH": TOP, "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["True True True True False", "0 0"], done.stderr


def test_memory_that_nobody_else_has():
    """In a process without children, which would share what it has."""
    code = ("import os; from qmailpy.unix.descendants import private_memory as memory; before = memory(os.getpid());"
            "held = bytearray(os.urandom(1 << 20)) * 8; print(memory(os.getpid()) - before)")
    done = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True)
    assert 8000 < int(done.stdout) < 16000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look at everybody")
def test_processes_of_others_cannot_be_weighed():
    with pytest.raises(PermissionError):
        private_memory(1)
