"""One run: where it takes place, who takes part, which servers are up; what figures are made with."""

from __future__ import annotations

import os
import shutil
import tempfile

from qmailpy.bench import measure
from qmailpy.bench.measure import Failed, Table
from qmailpy.bench.postfix import Postfix
from qmailpy.bench.qmail import Qmail
from qmailpy.bench.scratch import Copy, Overlay
from qmailpy.bench.servers import PATH
from qmailpy.bench.sink import SinkProcess
from qmailpy.unix.descendants import adopt_orphans, end_all
from qmailpy.unix.mounts import separate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.bench.servers import Server
    from qmailpy.home import Home

OURS = "qmailpy"
DISK, MEMORY = "disk", "memory"
EVERYBODY = 0o001
PATIENCE = 10  # seconds for what is still running at the end


class Place:
    """Where queues and Maildirs are: its name, a scratch folder there, and the kind of its file system.  Raises Failed, OSError."""

    __slots__ = ("name", "folder", "kind")

    def __init__(self, name: str, parent: str) -> None:
        self.name = name
        if closed := closed_folder(parent):
            raise Failed(f"{parent} is below {closed}, which users of other names cannot enter")
        self.folder = tempfile.mkdtemp(prefix="qmail-bench.", dir=parent)
        os.chmod(self.folder, 0o755)  # users of all kinds must get through
        self.kind = file_system(self.folder)


class Plan:
    """What a run is to be.

    rounds   how often everything is measured
    places   the names of the places, DISK or MEMORY
    parents  {place: the folder in which its scratch folder is made}
    peer     the path of a qmail home to compare with, or ""
    postfix  whether to compare with Postfix
    """

    __slots__ = ("rounds", "places", "parents", "peer", "postfix")

    def __init__(self, rounds: int, places: tuple[str, ...], parents: dict[str, str], peer: str = "", *, postfix: bool = True) -> None:
        self.rounds, self.places, self.parents, self.peer, self.postfix = rounds, places, parents, peer, postfix


class Bench:
    """Everything that is set up for a run.  `close` takes all of it down.  Raises Failed, OSError.

    home     the installed home that is measured, by a copy
    tell     hears what is being done
    skipped  (what, why) of what cannot take part
    """

    def __init__(self, home: Home, plan: Plan, tell: Callable[[str], None]) -> None:
        self.home, self.plan, self.tell = home, plan, tell
        self.skipped: list[tuple[str, str]] = []
        self.places: list[Place] = []
        self.servers: list[Server] = []
        self._folders: list[str] = []  # to remove
        self._running: list[Server] = []
        self._up: tuple[Place, int] | None = None  # where they run, and with how many messages
        self._sink: SinkProcess | None = None
        adopt_orphans()
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        peer = f"qmail in {self.plan.peer}"
        if self.plan.peer and not self._can(peer, separate):  # before anything is started that should see what is laid over
            self.plan.peer = ""
        for name in self.plan.places:
            self._can(name, lambda name=name: self.places.append(self._place(name)))  # type: ignore[misc]
        if not self.places:
            raise Failed("there is no folder to work in")
        self._sink = SinkProcess()
        ours = Copy(self.home, self._place(DISK).folder)
        listeners = {"qmail-tcpserver": f"{ours.path}/bin/qmail-tcpserver"}
        if found := shutil.which("tcpserver", path=PATH):
            listeners["tcpserver"] = found
        self.servers.append(Qmail(OURS, ours, listeners, self.sink.port))
        if self.plan.peer:
            self.servers.append(Qmail(peer, Overlay(self.plan.peer), dict(reversed(listeners.items())), self.sink.port))
        if self.plan.postfix:
            self._can("Postfix", lambda: self.servers.append(Postfix(self.sink.port)))

    def _can(self, what: str, step: Callable[[], None]) -> bool:
        """Whether a step is possible; if not, it is noted why."""
        try:
            step()
        except (Failed, OSError) as problem:
            if (what, reason(problem)) not in self.skipped:
                self.skipped.append((what, reason(problem)))
            return False
        return True

    def _place(self, name: str) -> Place:
        place = Place(name, self.plan.parents[name])
        self._folders.append(place.folder)
        return place

    @property
    def sink(self) -> SinkProcess:
        """Where mail for other hosts goes."""
        assert self._sink
        return self._sink

    @property
    def interpreter(self) -> str:
        """The one that the home's programs run with."""
        return os.path.realpath("/proc/self/exe")  # sys.executable is the launcher

    def up(self, place: Place, waiting: int = 0) -> list[Server]:
        """The servers that run at a place with so many messages waiting in their queues; what keeps others from it is noted."""
        if self._up != (place, waiting):
            self.down()
            self._up = (place, waiting)
            for server in self.servers:
                self.tell(f"starting {server.name} on {place.name}" + (f" with {waiting} messages" if waiting else ""))
                if self._can(f"{server.name}, {place.name}", lambda server=server: server.start(self._fresh(place), waiting)):  # type: ignore[misc]
                    self._running.append(server)
                else:
                    server.close()
        return self._running

    def restart(self, server: Server) -> None:
        """End one of the running servers, and start it again with nothing in its queue.  Raises Failed."""
        assert self._up
        server.close()
        try:
            server.start(self._fresh(self._up[0]), self._up[1])
        except OSError as problem:
            raise Failed(reason(problem)) from problem

    def homes(self, place: Place) -> list[Qmail]:
        """The qmail homes, with settings and fresh queues at a place, and nothing running."""
        self.down()
        found = [server for server in self.servers if isinstance(server, Qmail)]
        return [server for server in found
                if self._can(f"{server.name}, {place.name}", lambda server=server: server.prepare(self._fresh(place)))]  # type: ignore[misc]

    def _fresh(self, place: Place) -> str:
        """An empty folder for a server."""
        folder = tempfile.mkdtemp(dir=place.folder)
        os.chmod(folder, 0o755)
        return folder

    def down(self) -> None:
        """End the servers that run, and remove their queues."""
        for server in self.servers:
            self._can(f"the end of {server.name}", server.close)
        for place in self.places:
            for name in os.listdir(place.folder):
                shutil.rmtree(f"{place.folder}/{name}", ignore_errors=True)
        self._up = None
        self._running = []

    def compare(self, table: Table, *, most: int = 1000, warm_up: bool = True) -> Table:
        """Measure a table, in as many rounds as were asked for but at most so many; returns it."""
        measure.run(table, min(self.plan.rounds, most), self.tell, warm_up=warm_up)
        return table

    def close(self) -> None:
        """End what runs, remove what was made."""
        try:
            self.down()
            if self._sink:
                self._sink.close()
        finally:
            end_all(PATIENCE)
            for folder in self._folders:
                shutil.rmtree(folder, ignore_errors=True)


def closed_folder(path: str) -> str:
    """The first folder on the way to one, and it itself, that not everybody can enter; "" if there is none, or all that runs is ours anyway."""
    parts = os.path.realpath(path).split("/")
    above = ["/".join(parts[:number]) or "/" for number in range(1, len(parts) + 1)]
    return next((folder for folder in above if not os.stat(folder).st_mode & EVERYBODY), "") if os.geteuid() == 0 else ""


def reason(problem: Failed | OSError) -> str:
    """Why something cannot be, in words."""
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return str(problem)


def file_system(path: str) -> str:
    """The kind of the file system that a folder is on, such as ext4; "" if it cannot be told."""
    path, best, kind = os.path.realpath(path), "", ""
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as rows:
        for row in rows:
            _, point, found, *_ = row.split()
            if len(point) >= len(best) and (path + "/").startswith(point.rstrip("/") + "/"):
                best, kind = point, found
    return kind
