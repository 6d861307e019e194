"""`make setup`: install a home, or upgrade one, or take the place of C qmail's programs, keeping its mail and settings."""

from __future__ import annotations

import os
import shutil
import stat

from qmailpy import launchers
from qmailpy.home import Home, of_checkout
from qmailpy.install import hier, library, people
from qmailpy.install.hier import FIFO, FILE, FOLDER, Entry
from qmailpy.unix import ours
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

REPLACED = "lib/qmailpy/replaced"
MANIFEST = "lib/qmailpy/installed"
DOCUMENTS = ("README.md", "INSTALL", "FAQ", "INTERNALS", "THOUGHTS", "CHANGES", "LICENSE")


def describe(path: str, top: str, *, single: bool) -> Home:
    """The home as it is to be: what conf-* say, and of an existing queue what that shows.  Raises people.Missing."""
    home = of_checkout(top)
    home.path, home.single = os.path.abspath(path), single
    if (found := hier.layout_of(home.at("queue"))) is not None:
        home.split, home.big_todo = found
    people.find(home, top)
    return home


def programs(top: str, chosen: tuple[str, ...] = ()) -> list[str]:
    """The names of the programs to install: all, or those that are chosen."""
    names = sorted(name[:-3].rstrip("_").replace("_", "-") for name in os.listdir(f"{top}/qmailpy/programs")
                   if name.endswith(".py") and not name.startswith("__"))
    wrong = set(chosen) - set(names)
    if wrong:
        raise people.Missing(f"no such program: {', '.join(sorted(wrong))}")
    return [name for name in names if not chosen or name in chosen]


class Setup:
    """One installation.

    top          the checkout
    interpreter  the Python that programs will run with
    chosen       the programs to install; none: all
    """

    def __init__(self, home: Home, top: str, interpreter: str, chosen: tuple[str, ...] = ()) -> None:
        self.home, self.top, self.interpreter, self.chosen = home, top, interpreter, chosen
        self.manifest: set[str] = set()
        self.recorded: dict[bytes, tuple[int, ...]] = {}

    def run(self) -> None:
        """Install.  Raises OSError, launchers.Unusable."""
        self.manifest = set(installed(self.home))
        self.recorded = ours.parse(contents(self.home.at(ours.RECORD)) or b"")
        for entry in [*hier.folders(self.home), *([] if os.path.isdir(self.home.at("queue", "mess")) else hier.queue(self.home))]:
            self.make(entry)
        if os.path.isdir(self.home.at("queue", "lock")):
            self.make(hier.BOOT)
        if not self.home.single:
            self.own(self.home.path, hier.TOP, linked=True)  # as in C: programs of many users must get in
        place = library.install(self.home, self.top, self.interpreter)
        library.switch(self.home, place)
        for entry, data in self.files():
            self.put(entry, data)
        self.record_programs()
        self.own_library()
        self.write_manifest()

    def files(self) -> Iterator[tuple[Entry, bytes]]:
        """Every file with its content; and the folders that hold nothing but ours, with none."""
        launcher = read(f"{self.top}/.build/launcher")
        names = programs(self.top, self.chosen)
        for name, program in [*zip(names, names, strict=True), *((other, name) for other, name in hier.OTHER_NAMES.items() if name in names)]:
            yield hier.program_entry(self.home, name), launchers.filled(launcher, program, self.home.path, self.interpreter)
        # What keeps the interpreter from looking for its library anywhere else; see launcher/launcher.c.
        yield Entry("pyvenv.cfg", FILE, "root", 0o644), f"home = {os.path.dirname(self.interpreter)}\n".encode()
        if self.chosen:
            return
        for name in sorted(os.listdir(f"{self.top}/man")):
            yield Entry(f"man/man{name[-1]}/{name}", FILE, "root", 0o644), self.filled(read(f"{self.top}/man/{name}"))
        for name in DOCUMENTS:
            yield Entry(f"doc/{name}", FILE, "root", 0o644), read(f"{self.top}/{name}")
        for entry, source in hier.boot():
            yield entry, self.filled(read(f"{self.top}/{source}")) if source else b""

    def filled(self, data: bytes) -> bytes:
        """A text with the home's path, and the names of the users that servers and loggers run as, in their places."""
        for word, value in ((b"@HOME@", self.home.path), (b"@DAEMON@", self.home.name("qmaild")), (b"@LOGGER@", self.home.name("qmaill"))):
            data = data.replace(word, os.fsencode(value))
        return data

    def make(self, entry: Entry) -> None:
        """Make a folder or an empty queue file, unless it is there; what is there keeps its owner and mode."""
        path = self.home.at(entry.path) if entry.path else self.home.path
        if os.path.lexists(path):
            return
        if entry.kind == FOLDER:
            os.makedirs(path, 0o755) if not entry.path else os.mkdir(path)
        elif entry.kind == FIFO:
            os.mkfifo(path)
        else:
            with open(path, "xb") as out:
                out.write(bytes(hier.TCPTO_SIZE if entry.kind == hier.ZEROS else 0))
        self.own(path, entry)

    def own(self, path: str, entry: Entry, *, linked: bool = False) -> None:
        """Give a path its owner and mode; the owner first, since a change of owner takes the setuid bit away.  Raises OSError.

        linked  whether it may be a link to somewhere else. What was made just now is none; and folders of the queue belong to its users, one of whom
                may have put one there.
        """
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if linked else os.O_NOFOLLOW))
        try:
            os.fchown(fd, *hier.owner(self.home, entry))
            os.fchmod(fd, entry.mode)
        finally:
            os.close(fd)

    def put(self, entry: Entry, data: bytes) -> None:
        """Put a file in its place, in one step; what was there and is not ours is kept."""
        path = self.home.at(entry.path)
        if entry.kind == FOLDER:
            self.make(entry)
            self.own(path, entry, linked=True)
            self.manifest.add(entry.path)
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.keep(entry.path, path)
        fresh = f"{os.path.dirname(path)}/.{os.path.basename(path)}.new"
        with open(fresh, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        self.own(fresh, entry)
        os.rename(fresh, path)
        self.manifest.add(entry.path)
        if entry.path.startswith("bin/"):
            self.recorded[os.fsencode(os.path.basename(path))] = ours.fingerprint(os.stat(path))

    def keep(self, name: str, path: str) -> None:
        """Keep what is to be replaced, once: at an upgrade it is the older one of ours, and the first original stays kept."""
        kept = self.home.at(REPLACED, name)
        if name in self.manifest or not os.path.lexists(path) or os.path.lexists(kept):
            return
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        copy_whole(path, kept)

    def record_programs(self) -> None:
        """Remember which files our programs are, for those that do a program's work without executing it."""
        with open(self.home.at(ours.RECORD), "wb") as out:
            out.write(ours.record(self.recorded))

    def own_library(self) -> None:
        """The library belongs to the owner of the programs."""
        uid, gid = hier.owner(self.home, Entry("lib", FOLDER, "root", 0o755))
        for folder, _, names in os.walk(self.home.at("lib", "qmailpy")):
            inside = os.path.relpath(folder, self.home.path)
            if inside.startswith(REPLACED):
                continue
            for name in [".", *names]:
                os.chown(os.path.join(folder, name), uid, gid, follow_symlinks=False)

    def write_manifest(self) -> None:
        """Remember what is ours."""
        with open(self.home.at(MANIFEST), "w", encoding="utf-8") as out:
            out.writelines(f"{name}\n" for name in sorted(self.manifest))


def rollback(home: Home) -> list[str]:
    """Put back every file that setup has replaced, with owner and mode; their names below the home."""
    base, done = home.at(REPLACED), []
    for folder, _, names in os.walk(base):
        for name in names:
            kept = os.path.join(folder, name)
            below = os.path.relpath(kept, base)
            os.rename(kept, home.at(below))
            done.append(below)
    shutil.rmtree(base, ignore_errors=True)
    ours = [name for name in installed(home) if name not in done]
    if os.path.exists(home.at(MANIFEST)):
        with open(home.at(MANIFEST), "w", encoding="utf-8") as out:
            out.writelines(f"{name}\n" for name in ours)
    return sorted(done)


def installed(home: Home) -> list[str]:
    """What setup has put into a home and rollback has not taken out again: names below it; none where there was no setup."""
    try:
        with open(home.at(MANIFEST), encoding="utf-8") as names:
            return names.read().splitlines()
    except FileNotFoundError:
        return []


def read(path: str) -> bytes:
    """A file's content."""
    with open(path, "rb") as content:
        return content.read()


def copy_whole(source: str, target: str) -> None:
    """Copy a file, or a link, with owner, mode and times."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    shutil.copyfile(source, target)
    found = os.stat(source)
    os.chown(target, found.st_uid, found.st_gid)
    os.chmod(target, stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
