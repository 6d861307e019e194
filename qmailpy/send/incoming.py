"""New mail: which of the messages in todo are preprocessed when.

A message is preprocessed when a delivery of it can begin soon, for then it need not be synced again; one whose channels have enough to do is
left in todo, where it is safe, and does not hold up what comes behind it.
"""

from __future__ import annotations

import os
import time

from qmailpy.queue.leftovers import numbers
from qmailpy.send.fresh import BOTH, LAZY, TRY_AGAIN
from qmailpy.send.todo import Envelope
from qmailpy.send.writer import Trouble
from qmailpy.unix.fds import BLOCK, close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.send.deliveries import Deliveries
    from qmailpy.send.files import Files
    from qmailpy.send.fresh import Fresh, FreshMail
    from qmailpy.send.clean import Cleaner
    from qmailpy.send.log import Log
    from qmailpy.send.todo import Preprocessor

LOOK_EVERY = 1500  # seconds between looks into todo that nobody asked for
TURN = 0.01  # seconds after which deliveries have their turn
SHARE = 10  # a look into todo costs at most one part of so many
PATIENCE = 30  # seconds after which a message is preprocessed, whatever waits for deliveries
MANY = 20  # of those, at most so many at once ...
PACE = 0.05  # ... and only so many seconds after the last


class Incoming:
    """What qmail-send knows of todo.

    resumable  numbers of messages of which an earlier qmail-send may have made files that can be believed
    exiting    no new mail is taken any more
    trigger    descriptor that says when somebody has put something into todo; -1: nobody can
    now        the time of this turn of the loop, in seconds; moment: the same by the monotonic clock
    """

    def __init__(self, files: Files, preprocessor: Preprocessor, deliveries: Deliveries, fresh: FreshMail, cleaner: Cleaner, log: Log) -> None:
        self.files, self.preprocessor, self.deliveries, self.fresh = files, preprocessor, deliveries, fresh
        self.cleaner, self.log = cleaner, log
        self.resumable: set[int] = set()
        self.trigger = -1
        self.now, self.moment = 0, 0.0
        self._pulled = True
        self._look_due = 0  # when to look, though nobody has asked
        self._look_after = 0.0  # but not before, by the monotonic clock
        self._next: list[int] = []  # listed, and not looked at yet; the oldest last
        self._parked: tuple[dict[int, float], dict[int, float]] = ({}, {})  # by channel that has enough to do: since when
        self._last = 0.0  # when patience was over for some the last time

    # the trigger

    def listen(self) -> None:
        """Open lock/trigger.  With a writer of our own, so that it is not at its end whenever nobody else has it open."""
        close_quietly(*([self.trigger] if self.trigger != -1 else []))
        try:
            self.trigger = os.open(self.files.paths.lock("trigger"), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self.trigger = -1  # nobody can call us; we look every now and then

    def pull(self) -> None:
        """The trigger was pulled."""
        try:
            os.read(self.trigger, BLOCK)
        except OSError:
            pass
        self._pulled = True

    def close(self) -> None:
        """Nobody need call us any more."""
        close_quietly(*([self.trigger] if self.trigger != -1 else []))
        self.trigger = -1

    # what to do next

    def wakeup(self) -> float:
        """In how many seconds there is something to do."""
        if self._next:
            return 0
        times = [float(self._look_due - self.now)]
        if self._pulled:
            times.append(self._look_after - self.moment)
        for parked in self._parked:
            for since in parked.values():
                times.append(max(since + PATIENCE, self._last + PACE) - self.moment)
                break
        return max(min(times), 0)

    def look(self) -> None:
        """Take new mail for a little while."""
        if not self._next:
            if self.now >= self._look_due:
                self.listen()
                self._list()
            elif self._pulled and self.moment >= self._look_after:
                self._list()
        end = self.moment + TURN
        for channel in BOTH:
            parked = self._parked[channel]
            while parked and self._has_room(1 << channel) and time.monotonic() < end:
                self._unpark(parked)
        while self._next and time.monotonic() < end:
            number = self._next.pop()
            if number not in self.fresh and not any(number in parked for parked in self._parked):
                self.take(number)
        self._lose_patience()

    def _list(self) -> None:
        """Look what is in todo."""
        self._pulled = False
        self._look_due = self.now + LOOK_EVERY
        begin = time.monotonic()
        try:
            self._next = sorted(numbers(self.files.paths.queue, "todo"), reverse=True)
        except OSError:
            self.log("alert: unable to opendir todo, will try again later")
            self._look_due = self.now + TRY_AGAIN
        end = time.monotonic()
        self._look_after = end + (end - begin) * (SHARE - 1)

    def _has_room(self, channels: int) -> bool:
        """Whether a delivery can begin soon on one of some channels: no more wait there than can run at once."""
        for channel in BOTH:
            if channels >> channel & 1:
                limit = self.deliveries.channels[channel].slots.limit
                if len(self.fresh.unbegun[channel]) < limit or not limit:
                    return True
        return not channels

    def _unpark(self, parked: dict[int, float], *, anyway: bool = False) -> None:
        number = next(iter(parked))
        since = parked.pop(number)
        self.take(number, since, anyway=anyway)

    def _lose_patience(self) -> None:
        """Preprocess some of those that have waited too long in todo."""
        if self.moment < self._last + PACE:
            return
        for parked in self._parked:
            for _ in range(MANY):
                if not parked or next(iter(parked.values())) + PATIENCE > self.moment:
                    break
                self._last = self.moment
                self._unpark(parked, anyway=True)

    # one message

    def take(self, number: int, since: float | None = None, *, anyway: bool = False) -> None:
        """Preprocess a message, or leave it for later if its channels have enough to do.

        since   when it was left the first time, by the monotonic clock
        anyway  do not leave it any more
        """
        envelope = self._open(number)
        if envelope is None:
            return  # done in an earlier look, or the log has said why not
        try:
            begun = self._resume(number, envelope)
            if begun is None and not anyway and envelope.whole and not all(map(self._has_room, (1, 2))):
                channels = self.preprocessor.channels(envelope)
                if not self._has_room(channels):
                    self._parked[0 if channels & 1 else 1][number] = self.moment if since is None else since
                    return
            self._preprocess(number, envelope, begun, 0 if anyway or begun else self.moment + LAZY)
        finally:
            envelope.close()

    def _resume(self, number: int, envelope: Envelope) -> Fresh | None:
        """What an earlier qmail-send has made of a message; None if there is nothing to go on with."""
        if number not in self.resumable:
            return None
        self.resumable.remove(number)
        return self.preprocessor.resume(envelope, number, self.fresh.boot)

    def _open(self, number: int) -> Envelope | None:
        for name in self.files.todo_names(number):
            short = self.files.paths.short(name)
            try:
                return Envelope(name, short)
            except FileNotFoundError:
                continue
            except OSError:
                self.log("warning: unable to open ", short)
                return None
        return None

    def _preprocess(self, number: int, envelope: Envelope, begun: Fresh | None, due: float) -> None:
        try:
            size = os.stat(self.files.paths.mess(number)).st_size
        except FileNotFoundError:
            self.log("warning: ", envelope.short, " has no message any more; it was finished")
            self.cleaner.envelope(number, lambda number, good: None)
            return
        except OSError:
            self.log("warning: unable to stat ", self.files.short("mess", number))
            return
        try:
            fresh = begun or self.preprocessor.process(envelope, number, size, self.now, hold=self.fresh.lazy)
        except Trouble as trouble:
            self.log("warning: ", str(trouble))
            return
        for channel in BOTH:
            if self.fresh.lazy and fresh.left >> channel & 1:
                self.deliveries.waiting[channel].add(self.now, number)
        self.fresh.add(fresh, due)
