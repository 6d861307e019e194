"""Folders laid over others: tried in a process of its own."""

import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAY = """
import os, sys
from qmailpy.unix.mounts import lay_over, separate, take_off

target, source = sys.argv[1:]
try:
    separate()
except PermissionError:
    sys.exit(77)
lay_over(target, source)
print(os.listdir(target))
input()
take_off(target)
print(os.listdir(target))
try:
    lay_over(target + "/none", source)
except OSError as problem:
    print(problem)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_is_laid_over_is_seen_by_one_process_only(tmp_path):
    for name in ("target", "source"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of {name}").write_text("")
    running = subprocess.Popen([sys.executable, "-u", "-c", LAY, tmp_path / "target", tmp_path / "source"], env={"PYTHONPATH": TOP},
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = running.stdout.readline()
    if not first and running.wait() == 77:
        pytest.skip("needs the right to mount")
    assert first == "['of source']\n"
    assert os.listdir(tmp_path / "target") == ["of target"]
    rest, errors = running.communicate("\n")
    assert rest.splitlines() == ["['of target']", f"[Errno 2] No such file or directory: '{tmp_path}/target/none'"], errors


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_who_may_not_is_told():
    from qmailpy.unix.mounts import separate

    with pytest.raises(PermissionError, match="unshare"):
        separate()
