"""qmail-upq: put queue files into the subfolders that their numbers ask for.  See qmail-upq(8).

All that is to be moved is known, and can be moved, before the first file is.  Then kind after kind is linked where it belongs,
synced, and removed where it was.  The order of the kinds is such that a qmail-send that runs after a power cut in the middle finds
nothing that it would take for finished: info/ comes last, and a message alone in mess/ is safe for the 36 hours after its last reading.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, Temporary, complain, during
from qmailpy.home import here
from qmailpy.queue.paths import Paths
from qmailpy.unix.files import lock, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

FLAT = ("mess", "local", "remote", "info")
HASHED = ("mess", "local", "remote", "intd", "todo", "info")


def files(folder: str) -> Iterator[str]:
    """The files in a folder and in the folders in it.  Raises Temporary."""
    with during(f"unable to read {folder}"):
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from files(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def moves(paths: Paths, kind: str) -> Iterator[tuple[str, str]]:
    """(where a file is, where it belongs) of each that is in a wrong place.  Raises Temporary if another file is there."""
    taken = set()
    for path in files(f"{paths.queue}/{kind}"):
        name = os.path.basename(path)
        if not (name.isascii() and name.isdigit() and name == str(int(name))):
            complain(f"qmail-upq: warning: {path} has no number for a name; left alone")
            continue
        wanted = paths.name(kind, int(name))
        if path == wanted:
            continue
        if wanted in taken or (os.path.lexists(wanted) and not same(path, wanted)):
            raise Temporary(f"{path} belongs to {wanted}, where there is another file; nothing was moved")
        taken.add(wanted)
        yield path, wanted


def same(path: str, wanted: str) -> bool:
    """Whether two names are of one file, which an interrupted run has left under both.  Raises OSError."""
    return os.path.samestat(os.lstat(path), os.lstat(wanted))


def link(path: str, wanted: str) -> None:
    """Give a file its right name, too, if it has not got it.  Raises Temporary."""
    with during(f"unable to link {path} to {wanted}"):
        try:
            os.link(path, wanted, follow_symlinks=False)
        except FileExistsError:
            if not same(path, wanted):
                raise


def touch(messages: Iterable[str]) -> None:
    """Have messages count as read now.  Raises Temporary."""
    now = time.time()
    for path in messages:
        with during(f"unable to touch {path}"):
            os.utime(path, (now, os.stat(path).st_mtime))


def sync_folders(files: Iterable[str]) -> None:
    """Make the names of these files, or that they are gone, last.  Raises Temporary."""
    for folder in sorted({os.path.dirname(path) for path in files}):
        with during(f"unable to sync {folder}"):
            sync_folder(folder)


def move(found: list[tuple[str, str]]) -> None:
    """Move files: each is always under one of its names at least, also after a power cut.  Raises Temporary."""
    for path, wanted in found:
        link(path, wanted)
    sync_folders(wanted for _, wanted in found)
    for path, _ in found:
        with during(f"unable to remove {path}"):
            os.unlink(path)
    sync_folders(path for path, _ in found)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    paths = Paths(home.at("queue"), home.split, home.big_todo)
    with during("unable to open lock/sendmutex"):
        fd = os.open(paths.lock("sendmutex"), os.O_WRONLY | os.O_CLOEXEC)
    try:
        if not lock(fd, wait=False):
            raise Temporary("qmail-send is running; stop it first")
        plan = [(kind, list(moves(paths, kind))) for kind in (HASHED if home.big_todo else FLAT)]
        for kind, found in plan:
            if kind == "mess":
                touch(path for path, _ in found)
            move(found)
    finally:
        os.close(fd)
    return OK
