"""Homes to measure in that cannot hurt anybody's mail: the programs are the real ones, queue and control files are not.

`Copy` is a second home below a scratch folder, of the same kind as the one that it is made of, with that one's library.
`Overlay` is an existing home, of C programs or others, with scratch folders laid over its own: only this process and what
it starts see them (unix/mounts.py), since the path of a C home is built into its programs.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat

from qmailpy.bench.measure import Failed
from qmailpy.bench.servers import NOBODY, PATH, output_of
from qmailpy.launchers import is_launcher, moved
from qmailpy.unix import mounts, ours
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.home import Home

# What is started here must be ours: a C program has the path of its own home built in, and so would reach the real queue.
NEEDED = ("qmail-start", "qmail-send", "qmail-clean", "qmail-lspawn", "qmail-rspawn", "qmail-local", "qmail-remote", "qmail-getpw", "qmail-queue",
          "qmail-smtpd", "qmail-tcpserver", "qmail-pool", "qmail-newu", "qmail-showctl")
FRESH = ("control", "users", "alias")  # folders of a home that begin empty
SKELETONS = ("queue", "run")  # folders that begin as folders without messages
OPTIONAL = ("run",)


class Scratch:
    """A home to measure in.

    path      where its programs believe to be
    original  where the folders are that ours look like
    """

    def __init__(self, path: str, original: str) -> None:
        self.path, self.original = path, original

    @property
    def single(self) -> bool:
        """Whether it is a home of one user: nothing is setuid there."""
        return not os.stat(f"{self.path}/bin/qmail-queue").st_mode & stat.S_ISUID

    def daemon(self) -> tuple[int, int]:
        """(uid, gid) that network servers run as."""
        raise NotImplementedError

    def prepare(self, folder: str) -> None:
        """Make fresh folders below `folder`, and have the home use them.  Raises Failed, OSError."""
        self.release()
        for name in (*FRESH, *SKELETONS):
            source = f"{self.original}/{name}"
            if os.path.isdir(source):
                skeleton(source, f"{folder}/{name}", deep=name in SKELETONS)
                self.attach(name, f"{folder}/{name}")
            elif name not in OPTIONAL:
                raise Failed(f"{self.original} is no qmail home: it has no folder {name}")

    def attach(self, name: str, folder: str) -> None:
        """Have the home's folder `name` be this one.  Raises OSError."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of all folders."""
        raise NotImplementedError

    def confirm(self) -> None:
        """Make sure that programs use these folders and no others.  Raises Failed, OSError."""
        raise NotImplementedError


class Copy(Scratch):
    """A second home like `home` in an empty folder.  Raises Failed, OSError."""

    def __init__(self, home: Home, folder: str) -> None:
        super().__init__(folder, home.path)
        if not home.single and os.geteuid():
            raise Failed(f"{home.path} is a home of many users: only root can measure it")
        if not home.single and os.statvfs(folder).f_flag & os.ST_NOSUID:
            raise Failed(f"{folder} is mounted without setuid programs: qmail-queue cannot work there; choose another folder")
        self._home = home
        self._make_library(os.path.realpath(home.at(ours.CURRENT)))
        os.mkdir(f"{folder}/bin")
        recorded = ours.parse(contents(home.at(ours.RECORD)) or b"")
        made = {}
        for name in map(os.fsencode, NEEDED):
            before, after = self._copy_program(home, os.fsdecode(name))
            if recorded.get(name) == before:  # what is done without executing a program in the home is so in its copy, too, and nothing else
                made[name] = after
        with open(f"{folder}/{ours.RECORD}", "xb") as out:
            out.write(ours.record(made))
        shutil.copy(home.at("pyvenv.cfg"), folder)

    def daemon(self) -> tuple[int, int]:
        return self._home.uid("qmaild"), self._home.gid("nofiles")

    def _make_library(self, library: str) -> None:
        """The same library, by links, but for home.conf, which says where home is."""
        place = f"{self.path}/lib/qmailpy/{os.path.basename(library)}"
        os.makedirs(place)
        os.symlink(os.path.basename(library), f"{self.path}/{ours.CURRENT}")
        for name in os.listdir(library):
            if name != "home.conf":
                os.symlink(f"{library}/{name}", f"{place}/{name}")
        _, newline, rest = (contents(f"{library}/home.conf") or b"").partition(b"\n")
        if not newline:
            raise Failed(f"{library} is not the library of an installed home")
        with open(f"{place}/home.conf", "xb") as out:
            out.write(f"home {self.path}\n".encode() + rest)

    def _copy_program(self, home: Home, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The same program, of this home; the fingerprints of both."""
        source, target = home.at("bin", name), f"{self.path}/bin/{name}"
        data = contents(source) or b""
        if not is_launcher(data):
            raise Failed(f"{source} is not a program of qmailpy's")
        with open(target, "xb") as out:
            out.write(moved(data, home.path, self.path))
        found = os.stat(source)
        take_owner(target, found)
        return ours.fingerprint(found), ours.fingerprint(os.stat(target))

    def attach(self, name: str, folder: str) -> None:
        os.symlink(folder, f"{self.path}/{name}")

    def release(self) -> None:
        for name in (*FRESH, *SKELETONS):
            if os.path.islink(f"{self.path}/{name}"):
                os.unlink(f"{self.path}/{name}")

    def confirm(self) -> None:
        said = output_of([f"{self.path}/bin/qmail-showctl"], {"PATH": PATH}).partition("\n")[0]
        if said != f"qmail home directory: {self.path}.":
            raise Failed(f"the programs of the copy believe to be elsewhere: {said}")


class Overlay(Scratch):
    """The home in `path`, with scratch folders laid over its own.  Only after mounts.separate."""

    def __init__(self, path: str) -> None:
        super().__init__(path, path)
        self._laid: dict[str, str] = {}

    def daemon(self) -> tuple[int, int]:
        try:
            found = pwd.getpwnam("qmaild")
        except KeyError:
            return NOBODY, NOBODY
        return found.pw_uid, found.pw_gid

    def attach(self, name: str, folder: str) -> None:
        mounts.lay_over(f"{self.path}/{name}", folder)
        self._laid[name] = folder

    def release(self) -> None:
        while self._laid:
            name, _ = self._laid.popitem()
            mounts.take_off(f"{self.path}/{name}")

    def confirm(self) -> None:
        for name, folder in self._laid.items():
            if not os.path.samefile(f"{self.path}/{name}", folder):
                raise Failed(f"{self.path}/{name} is still the home's own")


def skeleton(source: str, target: str, *, deep: bool) -> None:
    """Make `target` a folder like `source`: its owner and mode; if deep, the folders in it, too, and the files in those called lock.  Raises OSError."""
    os.mkdir(target)
    with os.scandir(source) as entries:
        for entry in entries:
            if deep and entry.is_dir():
                skeleton(entry.path, f"{target}/{entry.name}", deep=True)
            elif deep and os.path.basename(source) == "lock":
                copy_lock(entry.path, f"{target}/{entry.name}")
    take_owner(target, os.stat(source))


def copy_lock(source: str, target: str) -> None:
    """Copy a named pipe or a plain file; nothing else is of use in another queue.  Raises OSError."""
    found = os.stat(source, follow_symlinks=False)
    if stat.S_ISFIFO(found.st_mode):
        os.mkfifo(target)
    elif stat.S_ISREG(found.st_mode):
        shutil.copyfile(source, target)
    else:
        return
    take_owner(target, found)


def take_owner(path: str, like: os.stat_result) -> None:
    """Give a path the owner and mode of another; the owner first, since a change of owner takes the setuid bit away.  Raises OSError."""
    now = os.stat(path)
    if (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid):
        os.chown(path, like.st_uid, like.st_gid)
    os.chmod(path, stat.S_IMODE(like.st_mode))
