"""A spawner's children: those that stay and do one piece of work after another, and those that do one and end."""

from __future__ import annotations

import os
import time

from qmailpy.unix import resident
from qmailpy.unix.process import any_ended
from qmailpy.unix.signals import KILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qmailpy.unix.poll import Poll
    from qmailpy.unix.resident import Resident, Work

    Done = Callable[[int | None, bytes], None]

MOST_RESTING = 20  # children that have nothing to do
REST = 10.0  # seconds that one may have nothing to do before it is let go
STARTS = 4  # new children in one turn of the loop: those that have been started may be free again before the next turn
FEW = 2  # children of a patient kind that are started at once
LONGEST = resident.LIMIT  # bytes of one piece of work


class Kind:
    """One kind of children that stay: they can take each other's place.

    key       what tells the kind from others
    begin     is called in such a child at its start: becomes who it is to be, and gives what does a piece of work
    given     the descriptors that it has all the time, if it gets none with its work
    failed    its exit status if `begin` raises
    patience  seconds that work waits for one of FEW children to be free before another one is started
    """

    __slots__ = ("key", "begin", "given", "failed", "patience")

    def __init__(self, key: object, begin: Callable[[], Work], failed: int, given: Mapping[int, int] = {}, patience: float = 0.0) -> None:  # noqa: B006 (never written)
        self.key, self.begin, self.failed, self.given, self.patience = key, begin, failed, given, patience


class Task:
    """A piece of work for a child of some kind.

    fds   descriptors that go with it; `given` is called when the child has them
    done  is called when it is over, with the exit status, or minus the signal, and the bytes of the answer; with None if there can be no child.
          It must not start anything: more work is for `Crew.add`
    """

    __slots__ = ("kind", "data", "fds", "given", "done", "since")

    def __init__(self, kind: Kind, data: bytes, fds: Sequence[int], given: Callable[[], object], done: Done) -> None:
        self.kind, self.data, self.fds, self.given, self.done = kind, data, fds, given, done
        self.since = 0.0


class Member:
    """A child that stays, and what it is at."""

    __slots__ = ("kind", "resident", "task", "rests", "linked")

    def __init__(self, kind: Kind, found: Resident) -> None:
        self.kind, self.resident = kind, found
        self.task: Task | None = None
        self.rests = 0.0  # since when
        self.linked = True  # we still listen to it


class Crew:
    """The children of one spawner, whose loop calls `hear`, `reap` and, when all that has happened is taken in, `go_on`.

    Only `go_on` opens descriptors: none of those that have just been found ready is another one's by then.
    """

    def __init__(self, poll: Poll) -> None:
        self.poll = poll
        self.by_fd: dict[int, Member] = {}
        self.by_pid: dict[int, Member | Done] = {}
        self.free: dict[object, list[Member]] = {}  # by the kind's key; the last one has rested least
        self.resting: dict[Member, None] = {}  # the first one longest
        self.count: dict[object, int] = {}  # of children that stay, by the kind's key
        self.started: dict[object, float] = {}  # when the last child of a patient kind was
        self.waiting: list[Task] = []
        self.starts = 0  # that are left in this turn
        self.ending = False

    def once(self, pid: int, done: Done) -> None:
        """There is a child that does one thing and ends."""
        self.by_pid[pid] = done

    def add(self, task: Task) -> None:
        """Have a child do a piece of work, as soon as there is one."""
        task.since = time.monotonic()
        self.waiting.append(task)

    def hear(self, fd: int) -> None:
        """A child has answered, or ended."""
        if (member := self.by_fd.get(fd)) is not None:
            self.listen(member)

    def listen(self, member: Member) -> None:
        """Take its answer, if there is one."""
        said = member.resident.answer()
        if said is None:
            return
        task, member.task = member.task, None
        if len(said) < 2 or task is None:
            member.task = task  # it has died of its work, or while it had none; how is told by its end
            self.dismiss(member)
            return
        if said[1] or self.ending:
            self.dismiss(member)
        else:
            member.rests = time.monotonic()
            self.resting[member] = None
            self.free.setdefault(member.kind.key, []).append(member)
        task.done(said[0], said[2:])

    def reap(self) -> None:
        """Note which children have ended."""
        for pid, status in any_ended():
            found = self.by_pid.pop(pid, None)
            code = os.waitstatus_to_exitcode(status)
            if isinstance(found, Member):
                self.bury(found, code)
            elif found is not None:
                found(code, b"")

    def bury(self, member: Member, code: int) -> None:
        """A child that stays has ended: its last words count, then how it ended.  Without a word it has not done its work, whatever its exit status."""
        if member.linked:
            self.listen(member)
            self.dismiss(member)
        key = member.kind.key
        self.count[key] -= 1
        if not self.count[key]:
            del self.count[key]
            self.started.pop(key, None)
        if member.task is not None:
            member.task.done(code or -KILL, b"")

    def dismiss(self, member: Member) -> None:
        """Have a child end, when it has done what it is at."""
        if member in self.resting:
            self.take(member)
        if member.linked:
            member.linked = False
            fd = member.resident.fileno()
            self.poll.drop(fd)
            del self.by_fd[fd]
            member.resident.close()

    def take(self, member: Member) -> None:
        """It does not rest any more."""
        del self.resting[member]
        key = member.kind.key
        self.free[key].remove(member)
        if not self.free[key]:
            del self.free[key]

    def go_on(self) -> None:
        """Begin what waits, and let those go who have rested too long, or are too many."""
        waiting, self.waiting = self.waiting, []
        self.starts = STARTS
        for task in waiting:
            if not self.begin(task):
                self.waiting.append(task)
        late = time.monotonic() - REST
        while self.resting and ((oldest := next(iter(self.resting))).rests < late or len(self.resting) > MOST_RESTING):
            self.dismiss(oldest)

    def begin(self, task: Task) -> bool:
        """Give a piece of work to a child; False if it must wait."""
        key = task.kind.key
        while key in self.free:
            member = self.free[key][-1]
            self.take(member)
            if self.give(member, task):
                return True
        if task.kind.patience and self.count.get(key, 0) >= FEW and self.left(task) > 0:
            return False
        if not self.starts:
            return False
        self.starts -= 1
        try:
            member = Member(task.kind, resident.start(task.kind.begin, task.kind.given, task.kind.failed))
        except OSError:
            task.done(None, b"")
            return True
        fd = member.resident.fileno()
        self.by_fd[fd] = self.by_pid[member.resident.pid] = member
        self.count[key] = self.count.get(key, 0) + 1
        if task.kind.patience:
            self.started[key] = time.monotonic()
        self.poll.add(fd)
        if not self.give(member, task):
            member.task = task  # the exit status will tell
        return True

    def give(self, member: Member, task: Task) -> bool:
        """Hand a piece of work over; False if the child has ended."""
        try:
            member.resident.give(task.data, task.fds)
        except OSError:
            self.dismiss(member)
            return False
        member.task = task
        task.given()
        return True

    def left(self, task: Task) -> float:
        """Seconds until another child may be started for a piece of work that waits."""
        return max(task.since, self.started.get(task.kind.key, 0.0)) + task.kind.patience - time.monotonic()

    def patience(self) -> float | None:
        """Seconds until `go_on` may have something to do, whatever happens; None: only what happens gives it any."""
        times = [self.left(task) if task.kind.patience else 0.0 for task in self.waiting]
        if self.resting:
            times.append(next(iter(self.resting)).rests + REST - time.monotonic())
        return max(min(times), 0.0) if times else None

    def end(self) -> None:
        """There will be no more work: children end when they have done what they are at."""
        self.ending = True
        for member in list(self.resting):
            self.dismiss(member)
