"""A qmail home as a server that is measured: ours or anybody's (INTERNALS: The queue)."""

from __future__ import annotations

import os
import time
from functools import partial

from qmailpy.bench.client import HERE
from qmailpy.bench.dialogue import BODY, LOCAL, REMOTE, SENDER, USER
from qmailpy.bench.measure import Failed
from qmailpy.bench.servers import PATH, PATIENCE, TO_REMOTE, Server, account, last_words, launch, make_maildir, output_of, until
from qmailpy.queue.paths import SPLIT_FOLDERS, Paths
from qmailpy.unix.fds import TimedOut, close_quietly, wait_readable
from qmailpy.unix.files import contents
from qmailpy.unix.process import end, has_ended, pipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.bench.scratch import Scratch

DAY = 86400
CONNECTIONS = "200"  # that a listener takes at a time


class Qmail(Server):
    """The programs of one home.

    listeners  {name: program with tcpserver's options}; one of each is run
    sink       the port on 127.0.0.1 that mail for other hosts goes to
    """

    def __init__(self, name: str, scratch: Scratch, listeners: dict[str, str], sink: int) -> None:
        super().__init__(name)
        self.scratch, self.listeners, self.sink = scratch, listeners, sink
        self.env = {"PATH": f"{scratch.path}/bin:{PATH}"}
        self._running: list[int] = []
        self._folder = ""

    def program(self, name: str) -> str:
        """The path of a program."""
        return f"{self.scratch.path}/bin/{name}"

    def start(self, folder: str, waiting: int) -> None:
        self.prepare(folder)
        if waiting:
            fill(f"{folder}/queue", waiting)
        log = f"{folder}/log"
        pid = launch([self.program("qmail-start"), "./Maildir/"], self.env, log)
        self._running.append(pid)
        until(lambda: serving(log) or has_ended(pid), f"{self.name}: qmail-send does not start")
        if not serving(log):
            raise Failed(f"{self.name}: qmail-send does not start: {last_words(log)}")
        for socket in self.pools():
            until(partial(os.path.exists, socket), f"{self.name}: a pool does not start: {socket}")
        self.ports = {name: self._listen(program, log) for name, program in self.listeners.items()}

    def pools(self) -> list[str]:
        """The sockets of the resident pools that qmail-start starts, where there are any."""
        if not os.path.exists(self.program("qmail-pool")):
            return []
        uid = os.geteuid() if self.scratch.single else self.scratch.daemon()[0]
        return [f"{self.scratch.path}/run/{name}/socket" for name in ("queue", f"servers/{uid}")]

    def prepare(self, folder: str) -> None:
        """A fresh queue, settings and a user.  Raises Failed, OSError."""
        self._folder = folder
        self.scratch.prepare(folder)
        self.scratch.confirm()
        for name, text in (("me", LOCAL), ("locals", LOCAL), ("rcpthosts", f"{LOCAL}\n{REMOTE}"), ("smtproutes", f":{HERE}:{self.sink}")):
            with open(f"{self.scratch.path}/control/{name}", "x", encoding="ascii") as out:
                out.write(text + "\n")
        uid, gid = account(f"{self.scratch.path}/alias")
        self.maildir = make_maildir(f"{folder}/{USER}", uid, gid)
        with open(f"{self.scratch.path}/users/assign", "x", encoding="utf-8") as out:
            out.write(f"={USER}:{USER}:{uid}:{gid}:{folder}/{USER}:::\n.\n")
        output_of([self.program("qmail-newu")], self.env)

    def _listen(self, program: str, log: str) -> int:
        """Start a listener for qmail-smtpd; its port."""
        source, target = pipe()
        try:
            options = ["-1RHl0", "-c", CONNECTIONS]
            if not self.scratch.single:
                uid, gid = self.scratch.daemon()
                options += ["-u", str(uid), "-g", str(gid)]
            self._running.append(launch([program, *options, HERE, "0", self.program("qmail-smtpd")], self.env, log, output=target))
            os.close(target)
            target = -1
            wait_readable(source, PATIENCE)
            return int(os.read(source, 16))
        except (TimedOut, ValueError):
            raise Failed(f"{self.name}: {program} does not listen: {last_words(log)}") from None
        finally:
            close_quietly(source, target)

    def stop(self) -> None:
        while self._running:
            end(self._running.pop(), PATIENCE)
        self.ports = {}

    def queued(self) -> int:
        return sum(len(names) for _, _, names in os.walk(f"{self._folder}/queue/mess"))

    def close(self) -> None:
        self.stop()
        self.scratch.release()


def serving(log: str) -> bool:
    """Whether qmail-send has said that it has taken up its queue."""
    return b"status: local 0/" in (contents(log) or b"")


def fill(queue: str, count: int) -> None:
    """Put messages into a queue that nobody serves, as they stand there after a first try that failed; they are due again in a day.  Raises OSError.

    Nothing is synced: these are not messages that anybody was told are safe.
    """
    paths = Paths(queue, sum(name.isdigit() for name in os.listdir(f"{queue}/mess")))
    owners = {kind: os.stat(f"{queue}/{kind}") for kind in SPLIT_FOLDERS}
    tomorrow = int(time.time()) + DAY
    parts = {"mess": (BODY, 0o644), "info": (f"F{SENDER}\0".encode(), 0o600), "remote": (f"T{TO_REMOTE}\0".encode(), 0o600)}
    for _ in range(count):
        number = 0
        for kind, (data, mode) in parts.items():
            path = paths.name(kind, number) if number else f"{queue}/pid/{kind}"
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            try:
                os.write(fd, data)
                os.fchown(fd, owners[kind].st_uid, owners[kind].st_gid)
                number = number or os.fstat(fd).st_ino
            finally:
                os.close(fd)
            if kind == "mess":
                os.rename(path, paths.mess(number))
        os.utime(paths.remote(number), (tomorrow, tomorrow))
