"""`make check`: whether a home is what setup makes it: owner, group, mode, kind and content of everything (as C's instcheck)."""

from __future__ import annotations

import os
import stat

from qmailpy.errnotext import wording
from qmailpy.install import hier, library
from qmailpy.install.hier import FIFO, FOLDER, Entry
from qmailpy.install.setup import MANIFEST, installed, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home
    from qmailpy.install.setup import Setup

KINDS = {FOLDER: ("folder", stat.S_ISDIR), FIFO: ("named pipe", stat.S_ISFIFO)}
PLAIN = ("plain file", stat.S_ISREG)
OTHERS_MAY_WRITE = 0o022


def problems(setup: Setup) -> Iterator[str]:
    """One line for each thing that is not as setup makes it.

    Of programs, pages and scripts those count that were installed: in a home that has some of our programs only, the others are not ours.
    """
    home, ours = setup.home, set(installed(setup.home))
    if not ours:
        yield f"{MANIFEST} is not there: nothing was installed here"
    for entry in [*hier.folders(home), *hier.queue(home)]:
        yield from wrong(home, entry)
    for entry, data in setup.files():
        if setup.chosen or not ours or entry.path in ours:
            yield from wrong(home, entry)
            yield from altered(home, entry, data)
    yield from library.problems(home, setup.top, setup.interpreter)
    yield from unsafe(home)


def wrong(home: Home, entry: Entry) -> Iterator[str]:
    """What is wrong with the owner, the mode and the kind of one entry.  Links are followed: a folder may be elsewhere."""
    name = entry.path or home.path
    try:
        found = os.stat(os.path.join(home.path, entry.path))
    except FileNotFoundError:
        yield f"{name} is not there"
        return
    except OSError as problem:
        yield f"{name} cannot be looked at: {wording(problem.errno)}"
        return
    kind, is_right = KINDS.get(entry.kind, PLAIN)
    if not is_right(found.st_mode):
        yield f"{name} is not a {kind}"
    uid, gid = hier.owner(home, entry)
    if (found.st_uid, found.st_gid) != (uid, gid):
        yield f"{name} belongs to {found.st_uid}:{found.st_gid}, not to {uid}:{gid}"
    mode = stat.S_IMODE(found.st_mode)
    if mode != entry.mode and (entry.path or not home.single):  # where a user keeps his own home's door shut, that is his affair
        yield f"{name} has mode {mode:04o}, not {entry.mode:04o}"


def altered(home: Home, entry: Entry, data: bytes) -> Iterator[str]:
    """Whether an installed file has another content."""
    path = home.at(entry.path)
    if os.path.isfile(path) and read(path) != data:
        yield f"{entry.path} is not what setup installs"


def unsafe(home: Home) -> Iterator[str]:
    """What of the library belongs to, or can be written by, anybody else: all programs run it, some of them as root."""
    owner, _ = hier.owner(home, Entry("lib", FOLDER, "root", 0o755))
    for folder, _, names in os.walk(os.path.realpath(home.at("lib", "qmailpy", "current"))):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            found = os.lstat(path)
            if found.st_uid != owner or (found.st_mode & OTHERS_MAY_WRITE and not stat.S_ISLNK(found.st_mode)):
                yield f"{os.path.relpath(path, home.path)} can be written by others: it belongs to {found.st_uid}, with mode {stat.S_IMODE(found.st_mode):04o}"
