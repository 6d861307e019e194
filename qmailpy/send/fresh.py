"""Messages whose todo/N still stands: what is delivered at once is never synced a second time (INTERNALS: The lazy way)."""

from __future__ import annotations

from heapq import heappop, heappush

from qmailpy.send.writer import Trouble, Writer
from qmailpy.text.envelope import SENDER
from qmailpy.text.route import CHANNELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.queue.boot import Boot
    from qmailpy.queue.paths import Paths
    from qmailpy.send.clean import Cleaner
    from qmailpy.send.files import Files
    from qmailpy.send.log import Log
    from qmailpy.send.syncs import Syncs

BOTH = (0, 1)  # channels
LAZY = 0.05  # seconds after which a message is synced, if it is not done by then
TRY_AGAIN = 123  # seconds, after trouble with a file
NEVER = 1e18
# What is going on with a message.
WAITING, SYNCING, CLEANING, ENDING = range(4)


class Fresh:
    """One of them.

    sender   None if the envelope names none
    birth    in seconds
    made     channels that it has recipients on, as bits
    left     channels that are not done
    written  whether there are files of it, and whole: else all that they are to have is in here
    tried    whether there may be some of its files
    marks    of a message that is not written: (channel, position) of each recipient that is done
    records  by channel: what the file has, until the first pass, or until there is a file; None: look into the file
    cleared  folders out of which files of an earlier message were removed
    noted    whether there is something in bounce/N
    stamp    what tells it from all other messages, earlier ones with its number as well; see Envelope.stamp
    place    where lock/boot says that all of it is done; 0: nowhere
    state    what is going on
    due      when it is to be synced, by the monotonic clock
    """

    __slots__ = ("number", "sender", "birth", "made", "left", "written", "tried", "marks", "records", "cleared", "noted", "stamp", "place", "state", "due")

    def __init__(self, number: int, sender: bytes | None, birth: int, made: int, records: list[bytes | None], cleared: list[str], *,
                 written: bool = True) -> None:
        self.number, self.sender, self.birth, self.records, self.cleared = number, sender, birth, records, cleared
        self.written = self.tried = written
        self.marks: list[tuple[int, int]] = []
        self.made = self.left = made
        self.noted = False
        self.stamp, self.place = b"", 0
        self.state, self.due = WAITING, NEVER

    @property
    def kinds(self) -> list[str]:
        """The files that there may be of it, in the order in which they are made."""
        return ["info", *(kind for channel, kind in enumerate(CHANNELS) if self.made >> channel & 1)] if self.tried else []


class FreshMail:
    """All of them, by number.

    lazy     deliveries begin before anything is synced; else, as in C, when todo/N has gone
    unbegun  by channel: numbers of those that wait for their first delivery, though their todo/N may have gone
    finish   is called with a message all of whose channels are done while todo/N stands
    settled  is called with one whose todo/N has gone; not with its files of channels that were done
    exiting  nothing is waited for any more that fails
    now      the time of this turn of the loop, by the monotonic clock
    """

    def __init__(self, files: Files, cleaner: Cleaner, syncs: Syncs, boot: Boot, log: Log) -> None:
        self.files, self.cleaner, self.syncs, self.boot, self.log = files, cleaner, syncs, boot, log
        self.lazy = False
        self.unbegun: tuple[set[int], set[int]] = (set(), set())
        self.finish: Callable[[Fresh], None]
        self.settled: Callable[[Fresh], None]
        self.exiting = False
        self.now = 0.0
        self._messages: dict[int, Fresh] = {}
        self._due: list[tuple[float, int]] = []
        self._marked: list[Fresh] = []  # with done marks of this turn that are only in memory

    def __contains__(self, number: int) -> bool:
        return number in self._messages

    def __len__(self) -> int:
        return len(self._messages)

    def get(self, number: int) -> Fresh | None:
        """A message whose todo/N stands, if it is one."""
        return self._messages.get(number)

    def add(self, fresh: Fresh, due: float) -> None:
        """Take one up that was just preprocessed; it is synced at `due` by the monotonic clock, unless it is done first."""
        self._messages[fresh.number] = fresh
        for channel in BOTH:
            if fresh.left >> channel & 1:
                self.unbegun[channel].add(fresh.number)
        if not fresh.left:
            self.finish(fresh)
        elif not self.lazy:
            self.settle(fresh)
        else:
            self._wait(fresh, due)

    def done(self, fresh: Fresh, channel: int) -> None:
        """A channel has no recipients left."""
        fresh.left &= ~(1 << channel)
        if not fresh.left and fresh.state == WAITING:
            self.finish(fresh)

    def mark(self, number: int, channel: int, position: int) -> None:
        """A recipient is done: the one whose record begins at `position`."""
        fresh = self.get(number)
        if fresh is not None and not fresh.written:
            fresh.marks.append((channel, position))
            self._marked.append(fresh)
            return
        try:
            self.files.mark_done(channel, number, position)
        except OSError:
            self.log("warning: trouble marking ", self.files.short(CHANNELS[channel], number), "; message will be delivered twice!")

    def keep_marks(self) -> None:
        """See to it that a kill does not take back that recipients are done: to be called before anybody hears of it.

        That all of a message is done is noted in lock/boot, which takes less than files that go a moment later.
        """
        marked, self._marked = self._marked, []
        for fresh in marked:
            if fresh.number not in self or fresh.written or fresh.place:
                continue
            if not fresh.left:
                try:
                    fresh.place = self.boot.note(fresh.stamp)
                    continue
                except OSError:
                    self.log("warning: unable to write lock/boot")
            self.write(fresh)

    def write(self, fresh: Fresh) -> bool:
        """Make a message's files, if there are none yet; whether there are.

        Done marks come when all of them are there: before, nobody believes them.
        """
        if fresh.written:
            return True
        assert fresh.sender is not None
        writer, fresh.tried = Writer(self.files.paths, fresh.number), True
        try:
            writer.put("info", SENDER + fresh.sender + b"\0")
            for kind, records in zip(CHANNELS, fresh.records, strict=True):
                if records is not None:
                    writer.put(kind, records)
            writer.flush()
        except Trouble as trouble:
            self.log("warning: ", str(trouble))
            return False
        finally:
            writer.close()
            fresh.cleared += writer.cleared
        fresh.written = True
        for channel, position in fresh.marks:
            self.mark(fresh.number, channel, position)
        for channel in BOTH:
            if fresh.number not in self.unbegun[channel]:
                fresh.records[channel] = None
        return True

    def forget(self, fresh: Fresh) -> None:
        """Its todo/N has gone."""
        self._messages.pop(fresh.number, None)
        if fresh.place:
            self.boot.free(fresh.place)

    def first(self) -> float | None:
        """When the next is to be synced; None if none is."""
        return self._due[0][0] if self._due else None

    def settle_due(self) -> None:
        """Sync those whose time has come."""
        while self._due and self._due[0][0] <= self.now:
            due, number = heappop(self._due)
            fresh = self._messages.get(number)
            if fresh is not None and fresh.due == due and fresh.state == WAITING:
                self.settle(fresh)

    def settle_all(self) -> None:
        """Sync all."""
        for fresh in list(self._messages.values()):
            if fresh.state == WAITING:
                self.settle(fresh)

    def settle(self, fresh: Fresh) -> None:
        """Make of it a message as C has it, if nobody does that already: info, local and remote are synced, then todo/N is removed."""
        if fresh.state != WAITING:
            return
        if not self.write(fresh):
            self._try_again(fresh)
            return
        fresh.state, fresh.due = SYNCING, NEVER
        self.syncs.want(wanted(self.files.paths, fresh), self._synced, fresh.number)

    def again(self, fresh: Fresh) -> None:
        """Something has failed that may succeed later."""
        self.write(fresh)
        self._try_again(fresh)

    def _try_again(self, fresh: Fresh) -> None:
        self._keep(fresh, self.now + TRY_AGAIN)

    def _keep(self, fresh: Fresh, due: float) -> None:
        fresh.state = WAITING
        if self.exiting:
            del self._messages[fresh.number]  # todo/N stands: the next qmail-send has it
        else:
            self._wait(fresh, due)

    def _wait(self, fresh: Fresh, due: float) -> None:
        fresh.due = due
        if due != NEVER:
            heappush(self._due, (due, fresh.number))

    def _synced(self, number: int, good: bool) -> None:
        fresh = self._messages[number]
        if not good:
            self._untrusted(fresh)
        elif not fresh.left:
            self.finish(fresh)
        else:
            fresh.state = CLEANING
            self.cleaner.envelope(number, self._cleaned)

    def _untrusted(self, fresh: Fresh) -> None:
        """Nobody knows what the disk has, and a second sync would not tell: todo/N stays until all is done, and without info nobody believes the rest."""
        self.log("warning: trouble fsyncing ", self.files.short("info", fresh.number))
        try:
            self.files.remove("info", fresh.number)
        except OSError:
            self.log("warning: unable to unlink ", self.files.short("info", fresh.number))
        self._keep(fresh, NEVER)
        if not fresh.left and fresh.number in self:
            self.finish(fresh)

    def _cleaned(self, number: int, good: bool) -> None:
        fresh = self._messages[number]
        if good:
            self.forget(fresh)
            self.settled(fresh)
        else:
            self.again(fresh)


def wanted(paths: Paths, fresh: Fresh) -> list[str]:
    """What must last before todo/N goes: the files and their names, and that those of an earlier message have gone."""
    kinds = fresh.kinds
    return [*(paths.name(kind, fresh.number) for kind in kinds), *(paths.folder(kind, fresh.number) for kind in kinds), *fresh.cleared]
