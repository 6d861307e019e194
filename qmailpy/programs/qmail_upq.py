"""qmail-upq: put queue files into the subfolders that their numbers ask for.  See qmail-upq(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, Temporary, complain, during
from qmailpy.home import here
from qmailpy.queue.paths import Paths
from qmailpy.unix.files import lock, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

KINDS = ("mess", "info", "local", "remote")


def files(folder: str) -> Iterator[str]:
    """The files in a folder and in the folders in it.  Raises OSError."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            yield from files(entry.path)
        else:
            yield entry.path


def sort(paths: Paths, kind: str) -> None:
    """Move what is in a wrong place.  Raises OSError, Temporary."""
    changed = set()
    for path in list(files(f"{paths.queue}/{kind}")):
        name = os.path.basename(path)
        if not (name.isascii() and name.isdigit()):
            complain(f"qmail-upq: warning: {path} has no number for a name; left alone")
            continue
        wanted = paths.name(kind, int(name))
        if path == wanted:
            continue
        if os.path.lexists(wanted):
            raise Temporary(f"{path} belongs to {wanted}, which is there already")
        os.rename(path, wanted)
        changed |= {os.path.dirname(path), os.path.dirname(wanted)}
    for folder in changed:
        sync_folder(folder)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    paths = Paths(home.at("queue"), home.split, home.big_todo)
    with during("unable to open lock/sendmutex"):
        fd = os.open(paths.lock("sendmutex"), os.O_WRONLY | os.O_CLOEXEC)
    if not lock(fd, wait=False):
        raise Temporary("qmail-send is running; stop it first")
    for kind in KINDS:
        with during(f"unable to sort {kind}"):
            sort(paths, kind)
    return OK
