"""The values of the settings that one program uses: variable, then control file, then default."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary
from qmailpy.kept import KEPT, state
from qmailpy.settings.kinds import Bad, digits
from qmailpy.settings.table import ME, SETTINGS
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qmailpy.home import Home
    from qmailpy.settings.table import Setting

RECIPIENT_CHECKS = {1: ("envnoathost", "locals", "percenthack", "virtualdomains"), 2: ("recipients",)}  # what recipientchk needs, by its value


class Unreadable(Temporary):
    """A control file is there, but cannot be read or understood."""


class Values:
    """Values by the setting's name, each asked for by what it is."""

    __slots__ = ("all",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self.all = values

    def line(self, name: str) -> bytes:
        """The value of a Line; b"" if there is none."""
        value = self.all[name]
        assert value is None or isinstance(value, bytes), name
        return value or b""

    def known(self, name: str) -> bool:
        """Whether there is a value at all, be it an empty one."""
        return self.all[name] is not None

    def number(self, name: str) -> int:
        """The value of a Number."""
        value = self.all[name]
        assert isinstance(value, int), name
        return value

    def flag(self, name: str) -> bool:
        """The value of a Flag."""
        value = self.all[name]
        assert isinstance(value, bool), name
        return value

    def names(self, name: str) -> frozenset[bytes] | None:
        """The value of a Names list, in lower case; None if the file is absent."""
        value = self.all[name]
        assert value is None or isinstance(value, frozenset), name
        return value

    def list(self, name: str) -> list[bytes] | None:
        """The value of a List; None if the file is absent."""
        value = self.all[name]
        assert value is None or isinstance(value, list), name
        return value

    def map(self, name: str) -> dict[bytes, bytes] | None:
        """The value of a Map; None if the file is absent."""
        value = self.all[name]
        assert value is None or isinstance(value, dict), name
        return value


def load(home: Home, names: Iterable[str], env: Mapping[str, str] = {}) -> Values:  # noqa: B006 (never written)
    """Read the named settings of a home.

    Raises Unreadable, naming the file (and line), where a file exists but cannot be read or understood.
    """
    wanted = tuple(names)
    present = files(home)

    def make() -> Values:
        cache: dict[str, object] = {}
        return Values({name: value(SETTINGS[name], home, env, cache, present) for name in wanted})

    return KEPT.get((home.path, wanted), lambda: sources(home, wanted, env, present), make)


def sources(home: Home, names: tuple[str, ...], env: Mapping[str, str], present: frozenset[str] | None) -> tuple[object, ...] | None:
    """All that the values of settings depend on, as it is now; None if that cannot be said."""
    if present is None:
        return None
    there = KEPT.get(("there", home.path, names), lambda: (present,), lambda: [home.at("control", name) for name in sorted(present & {*names, "me"})])
    read = state(there)
    heard = KEPT.once(names, lambda: variables(names)) & env.keys()
    return None if read is None else (present, read, tuple([(name, env[name]) for name in sorted(heard)]))


def variables(names: Iterable[str]) -> frozenset[str]:
    """The variables that have a say in settings."""
    return frozenset(name for setting in map(SETTINGS.__getitem__, names) for name in (setting.env, setting.off, setting.zero) if name)


def load_for_server(home: Home, names: Iterable[str], env: Mapping[str, str]) -> Values:
    """The named settings, recipientchk, and those that its value asks for: they may be large, and few servers need them.  Raises Unreadable."""
    values = load(home, (*names, "recipientchk"), env)
    needed = RECIPIENT_CHECKS.get(values.number("recipientchk"), ())
    return Values({**values.all, **load(home, needed, env).all}) if needed else values


def files(home: Home) -> frozenset[str] | None:
    """The names of the control files: most settings have none, and one look is cheaper than many.  None if the folder cannot be listed."""
    try:
        return KEPT.of(home.at("control"), lambda: frozenset(os.listdir(home.at("control"))))
    except OSError:
        return None


def switched_off(setting: Setting, env: Mapping[str, str]) -> bool:
    """Whether a variable switches the setting off (aio: Environment variables)."""
    if setting.off and setting.off in env:
        return True
    return bool(setting.zero) and setting.zero in env and not digits(os.fsencode(env[setting.zero]))


def value(setting: Setting, home: Home, env: Mapping[str, str], cache: dict[str, object] | None = None,
          present: frozenset[str] | None = None) -> object:
    """The value of one setting.  `cache` keeps control/me between calls; `present`: the files that there are, if that is known."""
    if switched_off(setting, env):
        return setting.kind.absent
    if setting.env and setting.env in env:
        return setting.kind.from_env(os.fsencode(env[setting.env]))
    found = None if present is not None and setting.name not in present else read(setting, home)
    if found is not None:
        return found
    if setting.default is not ME:
        return setting.kind.absent if setting.default is None else setting.default
    cache = {} if cache is None else cache
    if "me" not in cache:
        cache["me"] = read(SETTINGS["me"], home)
    me = cache["me"]
    if me is None:
        return setting.kind.absent if setting.literal is None else setting.literal
    assert isinstance(me, bytes)
    return frozenset((me.lower(),)) if setting.kind.name == "names" else me


def origin(setting: Setting, home: Home, env: Mapping[str, str] = {}) -> str:  # noqa: B006 (never written)
    """Where the value comes from, in words: "variable NAME", "switched off by NAME", "control/NAME", "control/me" or "default"."""
    if switched_off(setting, env):
        return f"switched off by {setting.off if setting.off in env else setting.zero}"
    if setting.env and setting.env in env:
        return f"variable {setting.env}"
    try:
        found = read(setting, home) is not None
    except Unreadable:
        found = True
    if found:
        return f"control/{setting.name}"
    return "control/me" if setting.default is ME and setting.name != "me" and os.path.exists(home.at("control", "me")) else "default"


def read(setting: Setting, home: Home) -> object:
    """What a control file says; None if it is absent or says nothing."""
    path = home.at("control", setting.name)
    if setting.kind.name == "pem":
        return os.path.exists(path) or None
    try:
        data = contents(path)
    except OSError as problem:
        raise Unreadable(f"unable to read control/{setting.name}: {wording(problem.errno)}", "4.3.0") from problem
    if data is None:
        return None
    try:
        return setting.kind.parse(data)
    except Bad as problem:
        raise Unreadable(f"control/{setting.name}:{problem.line}: {problem.why}", "4.3.0") from problem
