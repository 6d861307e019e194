"""Scratch homes: their programs are real, and nothing that they do reaches the home they are made of."""

import os
import stat
import subprocess
import sys

import pytest

from qmailpy.bench.measure import Failed
from qmailpy.bench.scratch import Copy, Overlay, skeleton
from qmailpy.home import parse
from tests.home import TOP


def home_of(path):
    return parse((path / "lib/qmailpy/current/home.conf").read_text())


def listing(path):
    """All that is in a folder, with what would show a change."""
    return sorted((str(entry), entry.lstat().st_mode, entry.lstat().st_mtime_ns) for entry in path.rglob("*"))


@pytest.fixture
def copy(single, tmp_path):
    made = tmp_path / "copy"
    made.mkdir()
    return Copy(home_of(single.path), str(made))


def test_a_copy_uses_its_own_folders_only(single, copy, tmp_path):
    before = listing(single.path)
    (tmp_path / "data").mkdir()
    copy.prepare(str(tmp_path / "data"))
    copy.confirm()
    done = subprocess.run([f"{copy.path}/bin/qmail-queue"], stdin=subprocess.DEVNULL, stdout=open("/dev/null", "rb"), env={})
    assert done.returncode == 54  # the envelope is empty: it has looked for its queue and found it
    assert listing(single.path) == before
    assert os.listdir(f"{copy.path}/control") == []
    copy.release()
    assert not os.path.lexists(f"{copy.path}/queue")


def test_a_copy_whose_programs_are_of_the_home_itself_is_refused(single, copy, tmp_path):
    (tmp_path / "data").mkdir()
    copy.prepare(str(tmp_path / "data"))
    os.unlink(f"{copy.path}/bin/qmail-showctl")
    os.symlink(single.program("qmail-showctl"), f"{copy.path}/bin/qmail-showctl")
    with pytest.raises(Failed, match="believe to be elsewhere"):
        copy.confirm()


def test_a_home_with_somebody_elses_programs_is_not_copied(single, tmp_path):
    """A C program would reach the real queue."""
    home = home_of(single.path)
    home.path = str(tmp_path / "mixed")
    os.makedirs(home.at("lib/qmailpy"))
    os.symlink(single.path / "lib/qmailpy/current", home.at("lib/qmailpy/current"))
    os.makedirs(home.at("bin"))
    for name in os.listdir(single.path / "bin"):
        os.symlink(single.program(name), home.at("bin", name))
    os.unlink(home.at("bin/qmail-queue"))
    with open(home.at("bin/qmail-queue"), "w") as program:
        program.write("#!/bin/sh\nexec /var/qmail/bin/qmail-queue.orig\n")
    with pytest.raises(Failed, match="bin/qmail-queue is not a program of qmailpy's"):
        Copy(home, str(tmp_path))


def test_what_is_no_home_gets_nothing_written(tmp_path):
    """Without the right to mount, too: it is found out before."""
    (tmp_path / "home/bin").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    with pytest.raises(Failed, match="is no qmail home: it has no folder control"):
        Overlay(str(tmp_path / "home")).prepare(str(tmp_path / "data"))
    assert os.listdir(tmp_path / "home") == ["bin"]


def test_a_skeleton_has_folders_and_locks_and_no_mail(tmp_path):
    source = tmp_path / "queue"
    for name in ("mess/0", "mess/1", "lock"):
        (source / name).mkdir(parents=True)
    (source / "mess/1/7").write_text("mail")
    (source / "mess/0").chmod(0o750)
    os.mkfifo(source / "lock/trigger")
    (source / "lock/trigger").chmod(0o622)
    (source / "lock/tcpto").write_bytes(bytes(1024))
    skeleton(str(source), str(tmp_path / "made"), deep=True)
    made = tmp_path / "made"
    assert sorted(str(path.relative_to(made)) for path in made.rglob("*")) == ["lock", "lock/tcpto", "lock/trigger", "mess", "mess/0", "mess/1"]
    assert stat.S_ISFIFO((made / "lock/trigger").stat().st_mode) and (made / "lock/trigger").stat().st_mode & 0o777 == 0o622
    assert (made / "mess/0").stat().st_mode & 0o777 == 0o750
    assert (made / "lock/tcpto").stat().st_size == 1024


def test_a_shallow_skeleton_is_an_empty_folder(tmp_path):
    (tmp_path / "control/deep").mkdir(parents=True)
    skeleton(str(tmp_path / "control"), str(tmp_path / "made"), deep=False)
    assert os.listdir(tmp_path / "made") == []


OVERLAY = """
import os, sys
from qmailpy.bench.scratch import Overlay
from qmailpy.unix.mounts import separate
try:
    separate()
except PermissionError:
    sys.exit(77)
home, folder = sys.argv[1:]
overlay = Overlay(home)
overlay.prepare(folder)
overlay.confirm()
print(overlay.single, os.listdir(home + "/control"))
open(home + "/control/me", "w").write("scratch\\n")
print(os.path.exists(folder + "/control/me"))
sys.stdout.flush()
os.system(home + "/bin/qmail-showctl | head -n 1")
overlay.release()
print(open(home + "/control/me").read().strip())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_is_laid_over_a_home_is_seen_by_nobody_else(multi, tmp_path):
    before = listing(multi.path)
    done = subprocess.run([sys.executable, "-c", OVERLAY, multi.path, tmp_path], env={"PYTHONPATH": str(TOP)}, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("needs the right to mount")
    assert done.stdout.splitlines() == ["False []", "True", f"qmail home directory: {multi.path}.", "mx.test.example"], done.stderr
    assert listing(multi.path) == before
