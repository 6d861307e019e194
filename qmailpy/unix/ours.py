"""Whether an installed program is still the one that setup put there (lib/qmailpy/programs): only then may its work be done without executing it."""

from __future__ import annotations

import os
import stat

from qmailpy.home import ABOVE
from qmailpy.kept import KEPT, identity
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home

RECORD = "lib/qmailpy/programs"
CURRENT = "lib/qmailpy/current"
LOADED = os.path.basename(ABOVE)  # the library that this code belongs to, as `current` would name it
EXECUTABLE, SET_IDENTITY = 0o111, 0o6000


class Program:
    """One program of a home, as it is when this object is made.

    It is ours if it is the file that setup recorded, and everybody may execute it.  From then on nothing of it may change, not
    even its ctime; and the library that its launcher leads to must be the one that this process has loaded.
    `set_uid`: whose it may be with the setuid bit; without, it must have none.
    """

    __slots__ = ("path", "_seen", "_link", "_version")

    def __init__(self, home: Home, name: str, set_uid: int | None = None) -> None:
        self.path = home.at("bin", name)
        self._link, self._version = home.at(CURRENT), LOADED
        self._seen: tuple[int, ...] | None = None
        try:
            found = os.stat(self.path)
            recorded = KEPT.of(home.at(RECORD), lambda: parse(contents(home.at(RECORD)) or b"")).get(os.fsencode(name))
            loaded = os.readlink(self._link) == self._version
        except OSError:
            return
        if loaded and may_run(found, set_uid) and recorded == fingerprint(found):
            self._seen = identity(found)

    @property
    def known(self) -> bool:
        """Whether it was ours to begin with."""
        return self._seen is not None

    def is_at(self, path: str) -> bool:
        """Whether to execute `path` now would run the code of this process as this program."""
        if self._seen is None:
            return False
        try:
            return identity(os.stat(path)) == self._seen and os.readlink(self._link) == self._version
        except OSError:
            return False

    def is_found(self, name: str, env: Mapping[str, str], cwd: str) -> bool:
        """The same for a program that is looked up in PATH, as execvp does in the folder `cwd`."""
        if self._seen is None:
            return False
        for folder in env.get("PATH", os.defpath).split(os.pathsep):
            path = os.path.join(cwd, folder, name)
            try:
                os.stat(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                return False  # whatever execvp makes of that
            return self.is_at(path)
        return False


def may_run(found: os.stat_result, set_uid: int | None) -> bool:
    """Whether a file is one that everybody may execute, as himself or as `set_uid`."""
    bits = found.st_mode & (EXECUTABLE | SET_IDENTITY)
    return stat.S_ISREG(found.st_mode) and (bits == EXECUTABLE or (bits == EXECUTABLE | stat.S_ISUID and found.st_uid == set_uid))


def fingerprint(found: os.stat_result) -> tuple[int, ...]:
    """What is recorded of a file: what stays the same when it is moved away and back, or the device gets another number at the next boot."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def record(programs: Mapping[bytes, tuple[int, ...]]) -> bytes:
    """The content of the record: a line for each program, its name and its fingerprint."""
    return b"".join(b" ".join((name, *(b"%d" % number for number in programs[name]))) + b"\n" for name in sorted(programs))


def parse(data: bytes) -> dict[bytes, tuple[int, ...]]:
    """The fingerprints in a record by the programs' names; a line that makes no sense says nothing."""
    found = {}
    for words in map(bytes.split, data.split(b"\n")):
        if words and all(map(bytes.isdigit, words[1:])):
            found[words[0]] = tuple(map(int, words[1:]))
    return found
