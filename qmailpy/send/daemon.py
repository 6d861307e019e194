"""qmail-send's loop: new mail, deliveries, ends, leftovers, each a little at a time (qmail-send(8))."""

from __future__ import annotations

import os
import time

from qmailpy.exits import Temporary
from qmailpy.send import clean, finish, todo
from qmailpy.send.deliveries import TRY_AGAIN, Deliveries
from qmailpy.send.log import log
from qmailpy.send.schedule import Schedule
from qmailpy.send.settings import AGAIN
from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.poll import Poll
from qmailpy.unix.signals import ALRM, HUP, TERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.send.channel import Channel
    from qmailpy.send.files import Files
    from qmailpy.send.settings import Settings
    from qmailpy.unix.signals import Wakeup

TODO_EVERY = 1500  # seconds between looks into todo that nobody asked for
CLEANUP_EVERY = 76431  # seconds between searches for leftovers
OSSIFIED = 129600  # seconds after which a message without envelope has no living qmail-queue; more than its 24 hours
FOREVER = 86400


class Daemon:
    """One qmail-send, from the first look at its queue to its end."""

    def __init__(self, files: Files, settings: Settings, channels: tuple[Channel, Channel], cleaner: clean.Cleaner, finisher: finish.Finisher) -> None:
        self.files, self.settings, self.channels, self.cleaner, self.finisher = files, settings, channels, cleaner, finisher
        self.deliveries = Deliveries(files, settings, channels)
        self.unknown = Schedule()  # messages whose files could not be looked at
        self.preprocessor = todo.Preprocessor(files.paths, settings.routes)
        self.todo = todo.Folder(f"{files.paths.queue}/todo")
        self.todo_due = self.cleanup_due = 0
        self.leftovers: Iterator[int] | None = None
        self.trigger = -1
        self.now = 0

    # starting

    def load(self) -> None:
        """Take up the messages that the queue holds."""
        self.tell_time()
        try:
            for number in self.files.numbers("info"):
                self.take_up(number)
            self.remove_orphans()
        except OSError as problem:
            log("alert: unable to read the queue: ", problem.strerror or "", "; HELP!")
            raise
        self.deliveries.status()

    def take_up(self, number: int) -> None:
        """Have a preprocessed message's recipients come when they are due."""
        kind = "info"
        try:
            if not self.files.exists(kind, number) or self.files.in_todo(number):
                return
            if self.unfinished(number):
                return
            due = []
            for kind in CHANNELS:
                due.append(self.files.time(kind, number))
        except OSError:
            log("warning: unable to stat ", self.files.short(kind, number), "; will try again later")
            self.unknown.add(self.now + TRY_AGAIN, number)
            return
        for waiting, when in zip(self.deliveries.waiting, due, strict=True):
            if when is not None:
                waiting.add(when, number)
        if due == [None, None]:
            self.deliveries.done.add(self.now, number)

    def unfinished(self, number: int) -> bool:
        """Remove what a power cut has left of a message that was finished or never accepted; whether it was one."""
        if self.files.exists("mess", number) and self.files.info_is_whole(number):
            return False
        self.remove_all(number)
        return True

    def remove_orphans(self) -> None:
        """The same for files that no info stands beside."""
        for kind in (*CHANNELS, "bounce"):
            for number in list(self.files.numbers(kind)):
                if not (self.files.exists("info", number) or self.files.exists("mess", number) or self.files.in_todo(number)):
                    self.remove_all(number)

    def remove_all(self, number: int) -> None:
        """Remove a message that is none, with one log line; mess goes with the leftovers."""
        log("warning: removing what was left of msg ", number, ": it was finished, or never accepted")
        for kind in (*CHANNELS, "bounce", "info"):
            self.files.remove(kind, number)

    # the loop

    def run(self, wakeup: Wakeup) -> None:
        """Work until TERM has come, or a neighbour has gone, and no delivery is under way."""
        poll = Poll()
        poll.add(wakeup.fd)
        for channel in self.channels:
            poll.add(channel.reports)
        self.listen(poll)
        while not (self.deliveries.exiting and self.deliveries.idle):
            ready = set(self.wait(poll))
            self.tell_time()
            if wakeup.fd in ready:
                self.obey(wakeup.take())
            try:
                self.turn(ready, poll)
            except clean.Lost:
                log("alert: oh no! lost qmail-clean connection! dying...")
                self.deliveries.exiting = True
        close_quietly(self.trigger)
        self.deliveries.keep_times()
        log("status: exiting")

    def turn(self, ready: set[int], poll: Poll) -> None:
        """A little of everything."""
        for channel in self.channels:
            if channel.alive and channel.reports in ready:
                self.deliveries.read_reports(channel)
            if channel.pending and channel.orders in ready:
                self.deliveries.flush(channel)
            if not channel.alive:
                poll.drop(channel.reports)
        self.look_for_mail(self.trigger in ready, poll)
        self.deliveries.begin()
        self.look_again()
        self.end_message()
        self.clean_up()

    def wait(self, poll: Poll) -> list[int]:
        """Wait for something to happen, or to be due."""
        for channel in self.channels:
            poll.drop(channel.orders)
            if channel.pending:
                poll.add(channel.orders, write=True)
        times = [self.deliveries.wakeup(), self.cleanup_due if self.leftovers is None else 0]
        if not self.deliveries.exiting:
            times += [0 if self.todo.walking else self.todo_due, self.unknown.first(), self.deliveries.done.first()]
        due = min(when for when in times if when is not None)
        # A clock that was set back must not make us sleep past what is due.
        return list(poll.wait(min(max(due - time.time(), 0), FOREVER) if due > self.now else 0))

    def tell_time(self) -> None:
        """Look at the clock once a turn."""
        self.now = self.deliveries.now = int(time.time())

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
                log("alert: unable to reread control/", name)
                return
        for rules in fresh:
            self.settings.adopt(rules)

    # new mail

    def listen(self, poll: Poll) -> None:
        """Wait for lock/trigger; opened anew, it has forgotten what was written before."""
        if self.trigger != -1:
            poll.drop(self.trigger)
            close_quietly(self.trigger)
        try:
            self.trigger = os.open(self.files.paths.lock("trigger"), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self.trigger = -1  # nobody can call us; we look every now and then
        else:
            poll.add(self.trigger)

    def look_for_mail(self, pulled: bool, poll: Poll) -> None:
        """Preprocess one message, if there is one."""
        if self.deliveries.exiting:
            if self.trigger != -1:
                poll.drop(self.trigger)
            return
        if not self.todo.walking:
            if not pulled and self.now < self.todo_due:
                return
            self.listen(poll)
            try:
                self.todo.begin()
            except OSError:
                log("alert: unable to opendir todo, will try again later")
                self.todo_due = self.now + TRY_AGAIN
                return
            self.todo_due = self.now + TODO_EVERY
        number = self.todo.next()
        if number is not None:
            self.preprocess(number)

    def preprocess(self, number: int) -> None:
        """todo/N becomes info/N, local/N, remote/N.  Raises clean.Lost."""
        name = next((name for name in self.files.todo_names(number) if os.path.lexists(name)), None)
        if name is None:
            return  # done in an earlier walk
        short = name[len(self.files.paths.queue) + 1:]
        try:
            source = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            log("warning: unable to open ", short)
            return
        try:
            size = os.stat(self.files.paths.mess(number)).st_size
            channels = self.preprocessor.process(source, number, size)
        except FileNotFoundError:
            log("warning: ", short, " has no message any more; it was finished")
            self.cleaner.envelope(number)
            return
        except OSError:
            log("warning: unable to stat ", self.files.short("mess", number))
            return
        except todo.Trouble as trouble:
            log("warning: ", str(trouble))
            return
        finally:
            os.close(source)
        if self.cleaner.envelope(number):
            for channel in channels:
                self.deliveries.waiting[channel].add(self.now, number)
            if not channels:
                self.deliveries.done.add(self.now, number)

    # ends

    def look_again(self) -> None:
        """Take up a message whose files could not be looked at before."""
        number = None if self.deliveries.exiting else self.unknown.take_due(self.now)
        if number is not None:
            self.take_up(number)

    def end_message(self) -> None:
        """Finish one message that is done.  Raises clean.Lost."""
        number = self.deliveries.done.take_due(self.now)
        if number is not None:
            try:
                self.finisher.finish(number, self.now)
            except finish.Later:
                self.deliveries.done.add(self.now + TRY_AGAIN, number)

    def clean_up(self) -> None:
        """Look at one message whether it is a leftover of a killed qmail-queue, and have it removed.  Raises clean.Lost."""
        if self.leftovers is None:
            if self.now < self.cleanup_due:
                return
            self.leftovers = self.files.numbers("mess")
        try:
            number = next(self.leftovers, None)
            if number is None:
                self.leftovers, self.cleanup_due = None, self.now + CLEANUP_EVERY
            elif self.is_leftover(number):
                self.cleaner.message(number)
        except OSError:
            self.leftovers, self.cleanup_due = None, self.now + TRY_AGAIN

    def is_leftover(self, number: int) -> bool:
        """Whether a message has been without envelope for so long that nobody is writing it any more."""
        try:
            touched = os.stat(self.files.paths.mess(number)).st_atime
        except FileNotFoundError:
            return False  # its qmail-queue has removed it
        return self.now > touched + OSSIFIED and not self.files.exists("info", number) and not self.files.in_todo(number)
