"""What all servers that are measured have in common, and the programs that they are started with."""

from __future__ import annotations

import os
import tempfile
import time

from qmailpy.bench.dialogue import LOCAL, REMOTE, USER
from qmailpy.bench.measure import Failed
from qmailpy.unix.fds import close_quietly, read_all
from qmailpy.unix.process import Identity, pipe, spawn, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 60  # seconds for whatever must come
STEP = 0.001  # seconds between looks at what tells nobody that it changes
SELDOM = 0.01  # the same where a look is work, and takes it from those that are measured
NOBODY = 65534
OUTPUT_LIMIT = 1 << 20
TO_LOCAL, TO_REMOTE = f"{USER}@{LOCAL}", f"{USER}@{REMOTE}"


class Server:
    """One mail server, started for the benchmark.

    name     as tables have it
    ports    {listener: port} on 127.0.0.1, the first one for figures that do not compare listeners
    maildir  where messages to TO_LOCAL end
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.ports: dict[str, int] = {}
        self.maildir = ""

    @property
    def port(self) -> int:
        """The first listener's.  Raises Failed if the server does not run."""
        if not self.ports:
            raise Failed("it does not run any more")
        return next(iter(self.ports.values()))

    def under(self, listener: str) -> str:
        """Its name under one of its listeners."""
        return f"{self.name}, {listener}" if listener else self.name

    def start(self, folder: str, waiting: int) -> None:
        """Start with an empty Maildir and a fresh queue below `folder` that holds so many messages which are not due for a day.

        Raises Failed, OSError.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """End it; it may not have been started."""
        raise NotImplementedError

    def queued(self) -> int:
        """The messages in the queue."""
        raise NotImplementedError

    def delivered(self) -> int:
        """The messages in the Maildir."""
        return len(os.listdir(f"{self.maildir}/new"))

    def settle(self, waiting: int = 0) -> None:
        """Wait until the queue holds no more than `waiting` messages, and begin with an empty Maildir.  Raises Failed, OSError.

        What was delivered is put aside: to remove it keeps some file systems busy for seconds.
        """
        until(lambda: self.queued() <= waiting, f"{self.name}: the queue does not get empty", 20 * STEP)
        new = f"{self.maildir}/new"
        if not self.delivered():
            return
        found = os.stat(new)
        os.rename(new, tempfile.mkdtemp(prefix="old.", dir=self.maildir))
        os.mkdir(new, 0o700)
        os.chown(new, found.st_uid, found.st_gid)

    def close(self) -> None:
        """Let go of everything."""
        self.stop()


def until(condition: Callable[[], bool], trouble: str, step: float = STEP, seconds: float = PATIENCE) -> None:
    """Wait for something that nobody announces.  Raises Failed(trouble) when the seconds are over."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise Failed(f"{trouble} within {seconds:.0f} seconds")
        time.sleep(step)


def make_maildir(folder: str, uid: int, gid: int) -> str:
    """A user's home folder with an empty Maildir in it, which is returned.  Raises OSError."""
    for name in ("", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"):
        os.mkdir(folder + name, 0o755 if not name else 0o700)
        os.chown(folder + name, uid, gid)
    return folder + "/Maildir"


def account(folder: str) -> tuple[int, int]:
    """(uid, gid) that mail is delivered as: the owner of a folder, but never root."""
    if os.geteuid():
        return os.geteuid(), os.getegid()
    found = os.stat(folder)
    return (found.st_uid, found.st_gid) if found.st_uid else (NOBODY, NOBODY)


def launch(argv: Sequence[str], env: Mapping[str, str], log: str, *, output: int | None = None, identity: Identity | None = None) -> int:
    """Start a program that goes on; its pid.  What it says goes to the file `log`, its standard output to `output` if that is given.  Raises OSError."""
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        return spawn(argv, env, {0: null, 1: said if output is None else output, 2: said}, identity=identity, cwd="/")
    finally:
        close_quietly(null, said)


def output_of(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Run a program to its end; what it said.  Raises Failed if its exit status is not 0, OSError."""
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    source, target = pipe()
    try:
        pid = spawn(argv, env, {0: null, 1: target, 2: target}, cwd="/")
        os.close(target)
        said = read_all(source, OUTPUT_LIMIT).decode("utf-8", "replace")
    finally:
        close_quietly(null, source)
    if status := wait(pid):
        raise Failed(f"{' '.join(argv)}: exit {status}: {said.strip()[-300:]}")
    return said


def last_words(log: str) -> str:
    """The end of a log file, for somebody who wonders why a server does not work."""
    try:
        with open(log, encoding="utf-8", errors="replace") as lines:
            return "; ".join(line.strip() for line in lines.readlines()[-3:]) or "it has written no log"
    except OSError as problem:
        return f"its log cannot be read: {problem.strerror}"
