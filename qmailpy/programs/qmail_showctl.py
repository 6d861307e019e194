"""qmail-showctl: say what this home's settings are and mean.  See qmail-showctl(8)."""

from __future__ import annotations

import os

from qmailpy.exits import TEMPORARY, during
from qmailpy.home import GROUP_ROLES, USER_ROLES, here
from qmailpy.settings.advice import warnings
from qmailpy.settings.load import Unreadable
from qmailpy.settings.show import for_programs, sections
from qmailpy.unix.fds import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home


def main(argv: list[str], env: Mapping[str, str]) -> int:
    """Print the report."""
    home = here()
    if argv[1:] == ["--json"]:
        return as_json(home, env)
    with during("unable to write"):
        write_all(1, "".join(f"{line}.\n" for line in installed(home)).encode("utf-8", "surrogateescape"))
        trouble = report(home)
        if trouble:
            write_all(1, f"Oops! {trouble}\n".encode())
    return TEMPORARY if trouble else 0


def as_json(home: Home, env: Mapping[str, str]) -> int:
    """Print an object for each setting, one a line.  Raises Temporary."""
    import json

    with during("unable to write"):
        for told in for_programs(home, env):
            write_all(1, json.dumps(told).encode() + b"\n")
    return 0


def report(home: Home) -> str:
    """Print what the settings say; what kept it from that, or ""."""
    if not os.path.isdir(home.at("control")):
        return "Unable to chdir to control."
    try:
        for name, text in sections(home):
            write_all(1, b"\n%s: %s" % (os.fsencode(name), text))
    except Unreadable as problem:
        return "Trouble reading control/me." if "control/me" in problem.text else "Unable to open current directory."
    if found := list(warnings(home)):
        write_all(1, b"\nwarnings:\n" + b"".join(f"  {name}: {why}.\n".encode("utf-8", "surrogateescape") for name, why in found))
    return ""


def installed(home: Home) -> list[str]:
    """What was fixed when the home was installed."""
    return [
        f"qmail home directory: {home.path}",
        f"user-ext delimiter: {home.breaks}",
        f"paternalism (in decimal): {home.forbidden}",
        f"silent concurrency limit: {home.spawn}",
        f"subdirectory split: {home.split}",
        f"user ids: {', '.join(str(home.uid(role)) for role in USER_ROLES)}",
        f"group ids: {', '.join(str(home.gid(role)) for role in reversed(GROUP_ROLES))}",
    ]
