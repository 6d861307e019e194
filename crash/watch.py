"""Every operation on the files of some folders, seen from inside the processes that do it: counted, written down, and any one of them made the last.

The functions of os are replaced in this process; what it forks inherits them, and what they count in is shared.
"""

import contextlib
import errno
import fcntl
import mmap
import os
import signal
import stat
import struct
import threading
import time

from qmailpy.unix import files, together

COUNTER = struct.Struct("=I")
# What the shared memory has: whether the accident has happened, whether the disk is full, how far the clock is ahead, how many seconds have
# passed that nobody has waited for, the counters of the programs.
STRUCK, FULL, AHEAD, PASSED, FIRST = range(5)
SPACE = ("open", "write", "link")  # operations that a full disk has no room for
REPLACED = ("open", "write", "pwrite", "ftruncate", "link", "unlink", "remove", "rename", "replace", "mkdir", "utime", "fsync", "fdatasync",
            "fork", "pipe2", "_exit")
CREATING = os.O_CREAT | os.O_TRUNC


def kill(watch, word):
    """The accident that nothing survives."""
    os.kill(os.getpid(), signal.SIGKILL)


def error(number):
    """An accident that the program is told of: the operation is not done."""
    def fail(watch, word):
        if word not in ("exit", "say"):
            raise OSError(number, os.strerror(number))

    return fail


def full(watch, word):
    """An accident that lasts: from here on the disk is full."""
    watch.change(FULL, 1)
    watch.check_space(word)


def jump(seconds):
    """An accident that lasts: the clock is so far ahead of what it was at first."""
    return lambda watch, word: watch.change(AHEAD, seconds)


class Watch:
    """What is watched, and what is to happen.

    top       the folder that names in the journal are relative to
    places    folders below it, whose files are watched; none: all
    programs  the names that `program` may have, which the process that becomes one sets; a process without one is not watched
    journal   where operations that were done are written down, one a line; None: nowhere
    plan      (program, number of the operation, accident), or None: nothing happens
    """

    def __init__(self, top, places, programs):
        self.top, self.places, self.programs = f"{top}/", places, programs
        self.program = self.journal = self.plan = None
        self.shared = mmap.mmap(-1, COUNTER.size * (FIRST + len(programs)))
        self.real = {"time": time.time, "monotonic": time.monotonic, "clock_gettime": time.clock_gettime, "sync_file_system": files.sync_file_system}

    def reset(self, plan=None, journal=None):
        """Begin to count anew."""
        self.plan, self.journal = plan, journal
        self.shared[:] = bytes(len(self.shared))

    @property
    def struck(self):
        """Whether the accident has happened, in whatever process."""
        return bool(self.value(STRUCK))

    def counts(self):
        """{program: how many operations it has done}."""
        return {name: self.value(at) for at, name in enumerate(self.programs, FIRST)}

    def value(self, slot):
        """A number that all processes share."""
        return COUNTER.unpack_from(self.shared, slot * COUNTER.size)[0]

    def change(self, slot, value):
        """Set it; the new value."""
        COUNTER.pack_into(self.shared, slot * COUNTER.size, value)
        return value

    def check_space(self, word):
        """Raise OSError for an operation that finds the disk full."""
        if word in SPACE and self.value(FULL):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def step(self, word, *names):
        """An operation is about to be done: which, on what."""
        if self.program not in self.programs:
            return
        slot = FIRST + self.programs.index(self.program)
        count = self.change(slot, self.value(slot) + 1)
        if self.plan and self.plan[:2] == (self.program, count):
            self.change(STRUCK, 1)
            self.plan[2](self, word)
        self.check_space(word)

    def note(self, *operation):
        """An operation was done."""
        if self.journal:
            fd = self.real["open"](self.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
            self.real["write"](fd, repr(operation).encode() + b"\n")
            os.close(fd)

    # what is watched

    def name(self, path, folder=None):
        """A name as the journal has it; None if nobody watches it."""
        whole = os.path.join(os.getcwd() if folder is None else of(folder), os.fsdecode(path))
        name = (os.path.normpath(whole) + "/").removeprefix(self.top).rstrip("/") or "."
        return name if not name.startswith("/") and (not self.places or name.split("/", 1)[0] in self.places) else None

    def file(self, fd):
        """The name of an open file, the same way; "" for what is no file of anybody's, as a pipe."""
        found = os.fstat(fd)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            return ""
        return self.name(of(fd))

    # the functions of os

    def install(self):
        """Replace them, for good."""
        for name in REPLACED:
            self.real[name] = getattr(os, name)
            setattr(os, name, getattr(self, f"os_{name.lstrip('_')}"))
        time.time = lambda: self.real["time"]() + self.value(AHEAD) + self.value(PASSED)
        time.monotonic = lambda: self.real["monotonic"]() + self.value(PASSED)
        time.clock_gettime = lambda clock: self.real["clock_gettime"](clock) + self.value(PASSED)
        files.sync_file_system = self.sync_file_system
        together.sync = self.sync_together
        together.PACE.side_by_side, together.FAST = True, -1.0  # always, however fast this disk is

    def os_open(self, path, flags, mode=0o777, *, dir_fd=None):
        name = self.name(path, dir_fd)
        if name is None:
            return self.real["open"](path, flags, mode, dir_fd=dir_fd)
        self.step("open" if flags & CREATING else "look", name)
        fresh = flags & os.O_CREAT and not os.path.lexists(self.top + name)
        fd = self.real["open"](path, flags, mode, dir_fd=dir_fd)
        if fresh:
            self.note("create", name, number(fd))
        elif flags & os.O_TRUNC:
            self.note("cut", number(fd), 0)
        return fd

    def os_write(self, fd, data):
        """A file is written in two halves: between them is a step, too."""
        name = self.file(fd)
        if not name:
            if name == "":
                self.step("say")
            return self.real["write"](fd, data)
        data, done = bytes(data), 0
        for part in filter(None, (data[:len(data) // 2], data[len(data) // 2:])):
            try:
                self.step("write", name)
                done += self._write(fd, part)
            except OSError:
                if not done:
                    raise
                break  # as the system: what is short is no error yet
        return done

    def _write(self, fd, part):
        at = os.fstat(fd).st_size if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND else os.lseek(fd, 0, os.SEEK_CUR)
        done = self.real["write"](fd, part)
        self.note("write", number(fd), at, part[:done])
        return done

    def os_pwrite(self, fd, data, offset):
        if name := self.file(fd):
            self.step("overwrite", name)
        done = self.real["pwrite"](fd, data, offset)
        if name:
            self.note("write", number(fd), offset, bytes(data)[:done])
        return done

    def os_ftruncate(self, fd, length):
        if name := self.file(fd):
            self.step("cut", name)
        self.real["ftruncate"](fd, length)
        if name:
            self.note("cut", number(fd), length)

    def os_link(self, source, target, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True):
        names = self.name(source, src_dir_fd), self.name(target, dst_dir_fd)
        self._on_names("link", names, lambda: self.real["link"](source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks))

    def os_unlink(self, path, *, dir_fd=None):
        self._on_names("unlink", (self.name(path, dir_fd),), lambda: self.real["unlink"](path, dir_fd=dir_fd))

    os_remove = os_unlink

    def os_rename(self, source, target, *, src_dir_fd=None, dst_dir_fd=None):
        names = self.name(source, src_dir_fd), self.name(target, dst_dir_fd)
        self._on_names("rename", names, lambda: self.real["rename"](source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd))

    os_replace = os_rename

    def os_mkdir(self, path, mode=0o777, *, dir_fd=None):
        self._on_names("mkdir", (self.name(path, dir_fd),), lambda: self.real["mkdir"](path, mode, dir_fd=dir_fd))

    def os_utime(self, path, *words, **named):
        self._on_names("utime", (None if isinstance(path, int) else self.name(path, named.get("dir_fd")),), lambda: self.real["utime"](path, *words, **named))

    def _on_names(self, word, names, work):
        """An operation that changes names, or what belongs to them."""
        if None in names:
            work()
            return
        self.step(word, *names)
        work()
        self.note(word, *names)

    def os_fsync(self, fd):
        """What a sync makes last is what was there when it began: others may go on meanwhile."""
        with self.syncing_one(fd):
            self.real["fsync"](fd)

    os_fdatasync = os_fsync

    def sync_file_system(self, fd):
        """The sync of everything, which fails by its answer."""
        try:
            self.step("sync", self.file(fd))
        except OSError:
            return False
        with self.syncing("everything", ""):
            return self.real["sync_file_system"](fd)

    def sync_together(self, fds):
        """Syncs side by side: any of them may be the first to end, and nobody is told before all have."""
        with contextlib.ExitStack() as under_way:
            for fd in fds:
                under_way.enter_context(self.syncing_one(fd))
            for fd in fds:
                self.real["fsync"](fd)
        return len(fds)

    def syncing_one(self, fd):
        """The sync of one file or folder, as an operation, if it is watched."""
        if not (name := self.file(fd)):
            return contextlib.nullcontext()
        self.step("sync", name)
        folder = stat.S_ISDIR(os.fstat(fd).st_mode)
        return self.syncing("folder" if folder else "file", name if folder else number(fd))

    @contextlib.contextmanager
    def syncing(self, what, which):
        """A sync is under way; if it ends well, that is noted."""
        one = f"{os.getpid()} {threading.get_ident()} {time.monotonic_ns()}"
        self.note("sync begins", one, what, which)
        yield
        self.note("sync ends", one)

    def os_fork(self):
        self.step("fork")
        return self.real["fork"]()

    def os_pipe2(self, flags):
        self.step("pipe")
        return self.real["pipe2"](flags)

    def os_exit(self, status):
        self.step("exit")
        self.note("exit", self.program, status)
        self.real["_exit"](status)


def of(fd):
    """Where an open file is."""
    return os.readlink(f"/proc/self/fd/{fd}")


def number(fd):
    """An open file's inode number."""
    return os.fstat(fd).st_ino
