"""Fetch what setup.cfg names into a folder of the checkout, once: `python -m qmailpy.install.dependencies site|tools|fuzz FOLDER`."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACES = {"site": ("options", "install_requires"), "tools": ("options.extras_require", "test"), "fuzz": ("options.extras_require", "fuzz")}


def wanted(kind: str, top: str = TOP) -> list[str]:
    """The requirements that setup.cfg lists: "site", what a home needs; "tools", what the tests need; "fuzz", what `make fuzz` uses."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(os.path.join(top, "setup.cfg"))
    section, option = PLACES[kind]
    return [row.strip() for row in config[section][option].splitlines() if row.strip()]


def fetch(kind: str, folder: str) -> int:
    """Install the requirements into `folder`, replacing it as a whole; pip's exit status."""
    fresh = folder + ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    print(f"fetching {', '.join(wanted(kind))}", flush=True)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    status = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--root-user-action=ignore",
                             "--target", fresh, *wanted(kind)], env=env, check=False).returncode
    if status == 0:
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(fresh, folder)
    else:
        print(f"make: unable to fetch what {kind} needs; is there a network, or a pip configuration for this site?", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(fetch(sys.argv[1], sys.argv[2]))
