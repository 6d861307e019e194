"""Which Python an installed home runs with: 3.11 or newer, and every user of the home can execute it."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = (3, 11)
ASK = "import sys, os; print('%d.%d' % sys.version_info[:2]); print(os.path.dirname(os.__file__))"
EVERYBODY = 0o001
READABLE = 0o004


def candidates() -> Iterator[str]:
    """Interpreters in the order in which they are liked: what is asked for, this one, what PATH and the usual places have."""
    if "PYTHON" in os.environ:
        yield os.environ["PYTHON"]
    names = ("python3", *(f"python3.{minor}" for minor in range(20, OLDEST[1] - 1, -1)))
    for found in (sys.executable, *map(shutil.which, names)):
        if found:
            yield found
    for folder in ("/usr/bin", "/usr/local/bin"):
        yield from sorted(glob.glob(f"{folder}/python3.[0-9][0-9]"), reverse=True)


def choose() -> str | None:
    """The real path of the first candidate that will do; None if none does."""
    for found in candidates():
        real = os.path.realpath(found)
        if not why_not(real):
            return real
    return None


def why_not(path: str) -> str:
    """Why an interpreter will not do; "" if it does."""
    if not os.path.isfile(path):
        return "is not there"
    if closed := closed_folder(path):
        return f"is below {closed}, which not every user can enter"
    if not os.stat(path).st_mode & EVERYBODY:
        return "cannot be executed by every user"
    try:
        # As the launcher starts it: without environment, under a name elsewhere that a pyvenv.cfg stands above.
        with tempfile.TemporaryDirectory() as place:
            with open(place + "/pyvenv.cfg", "w", encoding="utf-8") as out:
                out.write(f"home = {os.path.dirname(path)}\n")
            told = subprocess.run([place + "/bin/qmail", "-I", "-S", "-c", ASK], executable=path, env={}, capture_output=True, text=True, timeout=30,
                                  check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "does not start by itself"
    version, _, library = told.strip().partition("\n")
    if tuple(map(int, version.split("."))) < OLDEST:
        return f"is Python {version}"
    if closed := closed_folder(library + "/os.py"):
        return f"has its library below {closed}, which not every user can enter"
    return ""


def closed_folder(path: str) -> str:
    """The first folder above a path that not every user can enter; "" if there is none."""
    folder = os.path.dirname(os.path.realpath(path))
    above = []
    while True:
        above.append(folder)
        if folder == os.path.dirname(folder):
            break
        folder = os.path.dirname(folder)
    return next((folder for folder in reversed(above) if not os.stat(folder).st_mode & EVERYBODY), "")
