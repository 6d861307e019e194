"""qmail-send's loop: new mail, deliveries, ends, leftovers, each a little at a time (qmail-send(8))."""

from __future__ import annotations

import os
import time

from qmailpy.exits import Temporary
from qmailpy.queue.leftovers import Survey, is_old, numbers
from qmailpy.send import clean
from qmailpy.send.deliveries import Deliveries
from qmailpy.send.finish import Finisher
from qmailpy.send.fresh import TRY_AGAIN, FreshMail
from qmailpy.send.incoming import Incoming
from qmailpy.send.notes import Notes
from qmailpy.send.schedule import Schedule
from qmailpy.send.settings import AGAIN
from qmailpy.send.syncs import Syncs
from qmailpy.send.todo import Preprocessor
from qmailpy.text.route import CHANNELS
from qmailpy.unix.beside import Beside
from qmailpy.unix.files import Disk
from qmailpy.unix.poll import Poll
from qmailpy.unix.signals import ALRM, HUP, TERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qmailpy.home import Home
    from qmailpy.queue.boot import Boot
    from qmailpy.send.channel import Channel
    from qmailpy.send.files import Files
    from qmailpy.send.log import Log
    from qmailpy.send.settings import Settings
    from qmailpy.unix.signals import Wakeup

CLEANUP_EVERY = 76431  # seconds between searches for leftovers
FOREVER = 86400
ENDS = 50  # messages that are finished in one turn


class Daemon:
    """One qmail-send, from the first look at its queue to its end."""

    def __init__(self, home: Home, env: Mapping[str, str], files: Files, settings: Settings, channels: tuple[Channel, Channel],
                 cleaner: clean.Cleaner, boot: Boot, log: Log) -> None:
        self.files, self.settings, self.channels, self.cleaner, self.boot, self.log = files, settings, channels, cleaner, boot, log
        self.beside, disk = Beside(), Disk(files.paths.queue)
        # What is waited for, and what is only tidied up.
        self.syncs, self.last_syncs = Syncs(self.beside, disk), Syncs(self.beside, disk)
        self.fresh = FreshMail(files, cleaner, self.syncs, boot, log)
        self.notes = Notes(files.paths, self.syncs)
        self.deliveries = Deliveries(files, settings, channels, self.fresh, self.notes, log)
        self.finisher = Finisher(home, env, files, settings, self.deliveries, cleaner, self.last_syncs, self.beside, log)
        self.fresh.finish, self.fresh.settled = self.finisher.finish_fresh, self.deliveries.settled
        self.incoming = Incoming(files, Preprocessor(files.paths, settings.routes, log), self.deliveries, self.fresh, cleaner, log)
        self.log.before = self.fresh.keep_marks
        self.unknown = Schedule()  # messages whose files could not be looked at
        self.cleanup_due = 0
        self.leftovers: Iterator[int] | None = None
        self.now, self.moment = 0, 0.0

    # starting

    def load(self) -> None:
        """Take up the messages that the queue holds."""
        self.tell_time()
        try:
            survey = Survey(self.files.paths)
            messages = survey.sweep(lambda number: self.log("warning: removing what was left of msg ", number, ": it was finished, or never accepted"))
            if self.boot.same:
                self.incoming.resumable = survey.held["todo"]
                self.boot.forget_others(survey.held["todo"])
            else:
                survey.distrust()
        except OSError as problem:
            self.log("alert: unable to read the queue: ", problem.strerror or "", "; HELP!")
            raise
        self.fresh.lazy = self.boot.keep()
        if not self.fresh.lazy and os.path.lexists(self.files.paths.lock("boot")):  # a queue of C's has none, and nobody need hear of it
            self.log("warning: unable to use lock/boot; all messages will be synced before they are delivered")
        for number in messages:
            self.take_up(number)
        self.deliveries.status()
        self.log.flush()

    def take_up(self, number: int) -> None:
        """Have a preprocessed message's recipients come when they are due."""
        due = []
        try:
            for kind in CHANNELS:
                due.append(self.files.time(kind, number))
        except OSError:
            self.log("warning: unable to stat ", self.files.short(kind, number), "; will try again later")
            self.unknown.add(self.now + TRY_AGAIN, number)
            return
        for waiting, when in zip(self.deliveries.waiting, due, strict=True):
            if when is not None:
                waiting.add(when, number)
        if due == [None, None]:
            self.deliveries.done.add(self.now, number)

    # the loop

    def run(self, wakeup: Wakeup) -> None:
        """Work until TERM has come, or a neighbour has gone, and nothing is under way."""
        poll = Poll()
        for fd in (wakeup.fd, self.beside.fd, self.cleaner.answers, *(channel.reports for channel in self.channels)):
            poll.add(fd)
        while not self.over:
            ready = self.wait(poll)
            self.tell_time()
            if wakeup.fd in ready:
                self.obey(wakeup.take())
            self.turn(ready, poll)
        self.incoming.close()
        self.deliveries.keep_times()
        self.log("status: exiting")
        self.log.flush()

    @property
    def over(self) -> bool:
        """Whether nothing is to be done or waited for any more."""
        if not self.deliveries.exiting or not self.deliveries.idle or not self.beside.idle:
            return False
        return not self.cleaner.alive or (not self.fresh and self.finisher.idle and self.cleaner.idle)

    def turn(self, ready: set[int], poll: Poll) -> None:
        """A little of everything; what others hear of it goes out at the end, behind the log."""
        for channel in self.channels:
            if channel.alive and channel.reports in ready:
                self.deliveries.read_reports(channel)
        try:
            if self.cleaner.alive and self.cleaner.answers in ready:
                self.cleaner.read()
            if self.beside.fd in ready:
                self.beside.take()
            self.work(self.incoming.trigger in ready)
            self.log.flush()
            self.cleaner.flush()
        except clean.Lost:
            self.log("alert: oh no! lost qmail-clean connection! dying...")
            poll.drop(self.cleaner.answers)
            self.deliveries.exiting = True
        for channel in self.channels:
            if channel.pending:
                self.deliveries.flush(channel)
            if not channel.alive:
                poll.drop(channel.reports)
        self.syncs.flush()
        self.last_syncs.flush()
        self.log.flush()

    def work(self, pulled: bool) -> None:
        """What does not wait for anybody."""
        if pulled:
            self.incoming.pull()
        if self.deliveries.exiting:
            self.fresh.exiting = True
            self.fresh.settle_all()
        else:
            self.incoming.look()
            self.deliveries.begin()
            self.look_again()
            self.fresh.settle_due()
        self.end_messages()
        self.clean_up()

    def wait(self, poll: Poll) -> set[int]:
        """Wait for something to happen, or to be due."""
        writers = [(channel.orders, channel.pending) for channel in self.channels] + [(self.cleaner.orders, self.cleaner.pending and self.cleaner.alive)]
        for fd, pending in writers:
            if pending:
                poll.add(fd, write=True)
        trigger = -1 if self.deliveries.exiting else self.incoming.trigger
        if trigger != -1:
            poll.add(trigger)
        ready = set(poll.wait(self.patience()))
        for fd, pending in writers:
            if pending:
                poll.drop(fd)
        if trigger != -1:
            poll.drop(trigger)
        return ready

    def patience(self) -> float:
        """How many seconds nothing is due, if nothing happens."""
        if self.over:
            return 0
        times: list[int | None] = [self.deliveries.wakeup(), self.deliveries.done.first(), self.cleanup_due if self.leftovers is None else 0]
        if not self.deliveries.exiting:
            times.append(self.unknown.first())
        due = min(when for when in times if when is not None)
        # A clock that was set back must not make us sleep past what is due.
        seconds = min(max(due - time.time(), 0), FOREVER) if due > self.now else 0
        if not self.deliveries.exiting:
            seconds = min(seconds, self.incoming.wakeup())
            if (first := self.fresh.first()) is not None:
                seconds = min(seconds, max(first - time.monotonic(), 0))
        return seconds

    def tell_time(self) -> None:
        """Look at the clocks once a turn."""
        self.now = self.deliveries.now = self.incoming.now = int(time.time())
        self.moment = self.fresh.now = self.incoming.moment = time.monotonic()

    def obey(self, signals: set[int]) -> None:
        """TERM: finish; ALRM: try everything now; HUP: read locals, virtualdomains and bouncemaxbytes again."""
        if TERM in signals:
            self.deliveries.exiting = True
        if ALRM in signals:
            self.deliveries.hasten()
        if HUP in signals:
            self.reread()

    def reread(self) -> None:
        """Take the new rules of HUP; all of them, or the old ones stay."""
        fresh = []
        for name in AGAIN:
            try:
                fresh.append(self.settings.read(name))
            except Temporary:
                self.log("alert: unable to reread control/", name)
                return
        for rules in fresh:
            self.settings.adopt(rules)

    # ends

    def look_again(self) -> None:
        """Take up messages whose files could not be looked at before."""
        while (number := self.unknown.take_due(self.now)) is not None:
            self.take_up(number)

    def end_messages(self) -> None:
        """Finish messages that are done."""
        for _ in range(ENDS):
            number = self.deliveries.done.take_due(self.now)
            if number is None:
                break
            self.finisher.finish(number)

    def clean_up(self) -> None:
        """Look at one message whether it is a leftover of a killed qmail-queue, and have it removed."""
        if self.leftovers is None:
            if self.now < self.cleanup_due:
                return
            self.leftovers = numbers(self.files.paths.queue, "mess")
        try:
            number = next(self.leftovers, None)
            if number is None:
                self.leftovers, self.cleanup_due = None, self.now + CLEANUP_EVERY
            elif self.is_leftover(number):
                self.finisher.remove_message(number)
        except OSError:
            self.leftovers, self.cleanup_due = None, self.now + TRY_AGAIN

    def is_leftover(self, number: int) -> bool:
        """Whether a message has been without envelope for so long that nobody is writing it any more."""
        try:
            touched = os.stat(self.files.paths.mess(number)).st_atime
        except FileNotFoundError:
            return False  # its qmail-queue has removed it
        return is_old(touched, self.now, self.boot) and not self.files.exists("info", number) and not self.files.in_todo(number)
