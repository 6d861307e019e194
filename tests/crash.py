"""A program of a LittleHome that dies before its n-th change of a file, as by kill -9: once for each n."""

import os
import subprocess
import sys

from tests.checkout import TOP

DEAD = 99  # the exit status then
# Counts what changes names and files below a folder, and syncs; dies when the count is reached.  All steps are written to a file.
CODE = """
import os, runpy, sys

steps, place, record, boot, checkout = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "w"), sys.argv[4], sys.argv[5]
sys.path[:0] = [os.path.dirname(os.path.dirname(boot))]  # the home's own modules, whoever imports them first
sys.path.append(checkout)
from crash.watch import Watch


class Steps(Watch):
    def step(self, word, *names):
        global steps
        if word in ("open", "rename", "unlink", "link", "utime", "sync"):
            if steps == 0:
                self.real["_exit"](99)
            steps -= 1
            print(word, names[0], file=record, flush=True)


Steps(place, (), ()).install()
sys.argv[:] = [boot, *sys.argv[6:]]
runpy.run_path(boot, run_name="__main__")
"""


def run(home, place, steps, program, **env):
    """Let a program die before that many steps in the folder `place` are done; (whether it did, the steps it has done)."""
    record, boot = home.path / "steps", home.path / "lib/qmailpy/boot.py"
    command = [sys.executable, "-I", "-S", "-c", CODE, str(steps), str(place), str(record), str(boot), str(TOP), program, program]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"], **env}, capture_output=True, timeout=60)
    assert done.returncode in (0, DEAD), (done.returncode, done.stderr)
    return done.returncode == DEAD, record.read_text().split("\n")[:-1]
