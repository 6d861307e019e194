"""A program of a LittleHome that dies before its n-th change of a file, as by kill -9: once for each n."""

import os
import subprocess
import sys

DEAD = 99  # the exit status then
# Counts what changes names and files below a folder, and syncs; dies when the count is reached.  All steps are written to a file.
CODE = """
import os, runpy, sys

steps, place, record, boot = int(sys.argv[1]), os.fsencode(sys.argv[2]), open(sys.argv[3], "w"), sys.argv[4]
os_fsync = os.fsync


def step(name, path):
    global steps
    if (path + b"/").startswith(place):
        if steps == 0:
            os._exit(99)
        steps -= 1
        print(name, os.fsdecode(path[len(place):]) or ".", file=record, flush=True)


def watch(event, arguments):
    if event in ("os.rename", "os.remove", "os.link", "os.utime") or (event == "open" and arguments[2] & (os.O_CREAT | os.O_TRUNC)):
        if not isinstance(arguments[0], int):
            step(event.removeprefix("os."), os.fsencode(arguments[0]))


def fsync(fd):
    step("sync", os.fsencode(os.readlink("/proc/self/fd/%d" % fd)))
    os_fsync(fd)


os.fsync = fsync
sys.addaudithook(watch)
sys.argv[:] = sys.argv[4:]
runpy.run_path(boot, run_name="__main__")
"""


def run(home, place, steps, program, **env):
    """Let a program die before that many steps in the folder `place` are done; (whether it did, the steps it has done)."""
    record = home.path / "steps"
    command = [sys.executable, "-I", "-S", "-c", CODE, str(steps), f"{place}/", str(record), str(home.path / "lib/qmailpy/boot.py"), program, program]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"], **env}, capture_output=True, timeout=60)
    assert done.returncode in (0, DEAD), (done.returncode, done.stderr)
    return done.returncode == DEAD, record.read_text().split("\n")[:-1]
