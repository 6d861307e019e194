"""Control files of each kind, and variables in their place (settings/kinds.py, settings/load.py).

- Nothing is raised but Unreadable; a value is of its kind's type, or None for "as if absent".
- Rows have no newline, are not empty, and do not begin with #; a key is in lower case; a number is not negative and has at most 20 digits.
- What is shown of a file with a login does not show it.
"""

from __future__ import annotations

import os

from qmailpy.home import Home
from qmailpy.remote.report import Failed
from qmailpy.remote.route import route
from qmailpy.settings.kinds import Number
from qmailpy.settings.load import Unreadable, read, value
from qmailpy.settings.table import SETTINGS

from fuzz.promise import file_of, number_of, promise

WORDS = (b"#", b":", b"\n", b" \n", b"\t", b"9" * 5000, b"a.example:b.example\n", b"a.example:[::1]:26 user pass word\n", b":relay user\n", b"1\n", b"0\n",
         b"\0", b".example:", b"-1", b"A:B\n")
NAMES = sorted(SETTINGS)
KINDS: dict[str, type] = {"line": bytes, "secret": bytes, "number": int, "flag": bool, "list": list, "names": frozenset, "map": dict, "pem": bool}


class Pretended(Home):
    """A home where every control file is the same one."""

    __slots__ = ("file",)

    def __init__(self, file: str) -> None:
        super().__init__("/nonexistent")
        self.file = file

    def at(self, *parts: str) -> str:
        return self.file


def check(data: bytes) -> None:
    with file_of(data) as path:
        home = Pretended(path)
        for kind in {setting.kind for setting in SETTINGS.values()}:
            setting = next((one for one in SETTINGS.values() if one.kind is kind and one.env),
                           None) or next(one for one in SETTINGS.values() if one.kind is kind)
            try:
                found = read(setting, home)
                believe(kind.name, found)
                promise(not isinstance(found, bytes) or b"\n" not in found, "two lines", found)
                believe(kind.name, value(setting, home, {}, {}, None))
            except Unreadable:
                pass
            if setting.env:
                believe(kind.name, kind.from_env(data.replace(b"\0", b"")))
            shown = kind.public(data)
            promise(kind.name != "secret" or shown == b"" or not data.split(b"\n")[0].strip(), "a secret is shown", shown)
        setting = SETTINGS[NAMES[number_of(data) % len(NAMES)]]
        env = {name: os.fsdecode(data.replace(b"\0", b"")) for name in (setting.env, setting.off, setting.zero) if name}
        believe(setting.kind.name, value(setting, home, env))
        routes = read(SETTINGS["smtproutes"], home)
        logins(data)
    if isinstance(routes, dict):
        for host in (b"a.example", b"x.example", b""):
            try:
                for target in route(host, routes, {}).targets:
                    promise(target.port > 0, "no such port", target.port)
            except Failed:
                pass


def believe(kind: str, found: object) -> None:
    """Whether that is a value of a kind."""
    promise(found is None or isinstance(found, KINDS.get(kind, object)), "another type", kind, found)
    if isinstance(found, list):
        promise(all(row and b"\n" not in row and not row.startswith(b"#") for row in found), "no such rows", found)
    elif isinstance(found, dict):
        promise(all(key == key.lower() and b"\n" not in key + entry for key, entry in found.items()), "no such map", found)
    elif isinstance(found, int):
        promise(0 <= found < 10 ** 20, "no such number", kind, found, Number.name)


def logins(data: bytes) -> None:
    """What is shown of routes."""
    secret = data.replace(b"\n", b"").replace(b" ", b"").replace(b"\t", b"").replace(b":", b"").replace(b"#", b"")[:20]
    if len(secret) < 8:
        return
    shown = SETTINGS["smtproutes"].kind.public(b"x.example:relay user " + b"S3" + secret + b"\n")
    promise(b"S3" + secret not in shown, "a password is shown", shown)
