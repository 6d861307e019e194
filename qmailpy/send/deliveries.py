"""Deliveries: what is begun, what is reported, what becomes of a message's recipients (C: job, del, pass)."""

from __future__ import annotations

import os

from qmailpy.send.bounce import TOO_OLD, paragraph
from qmailpy.send.channel import Lost
from qmailpy.send.fresh import BOTH, TRY_AGAIN
from qmailpy.send.jobs import Delivery, Job
from qmailpy.send.log import safe
from qmailpy.send.passes import OddRecord, Pass
from qmailpy.send.schedule import Schedule, next_retry
from qmailpy.text.route import CHANNELS, expand_sender

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.send.channel import Channel
    from qmailpy.send.files import Files
    from qmailpy.send.fresh import Fresh, FreshMail
    from qmailpy.send.log import Log
    from qmailpy.send.notes import Notes
    from qmailpy.send.settings import Settings


class Deliveries:
    """Both channels and what waits for them.

    waiting  by channel: messages that have recipients there, and when they are due
    done     messages that have recipients on neither channel any more
    exiting  no delivery is begun any more
    now      the time of this turn of the loop, in seconds
    """

    def __init__(self, files: Files, settings: Settings, channels: tuple[Channel, Channel], fresh: FreshMail, notes: Notes, log: Log) -> None:
        self.files, self.settings, self.channels, self.fresh, self.notes, self.log = files, settings, channels, fresh, notes, log
        self.waiting = (Schedule(), Schedule())
        self.done = Schedule()
        self.exiting = False
        self.now = 0
        self._passes: list[Pass | None] = [None, None]
        self._jobs = 0  # that are open
        self._named = 0  # deliveries so far

    @property
    def _most_jobs(self) -> int:
        """As many messages may be open as deliveries can run."""
        return sum(channel.slots.limit for channel in self.channels)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way that could still be waited for."""
        return self.notes.idle and not any(channel.alive and len(channel.slots) for channel in self.channels)

    def status(self) -> None:
        """Log how many deliveries are under way."""
        counts = [f" {channel.name} {len(channel.slots)}/{channel.slots.limit}" for channel in self.channels]
        self.log("status:", *counts, " exitasap" if self.exiting else "")

    def wakeup(self) -> int | None:
        """When something can be begun next: 0 is now, None never."""
        if self.exiting:
            return None
        times = []
        for channel, under_way, waiting in zip(self.channels, self._passes, self.waiting, strict=True):
            if under_way and channel.ready:
                return 0
            if not under_way and self._jobs < self._most_jobs:
                times.append(waiting.first())
        return min((time for time in times if time is not None), default=None)

    def begin(self) -> None:
        """Begin as many deliveries as can run."""
        for number, channel in enumerate(self.channels):
            while not self.exiting and self._advance(number, channel):
                pass

    def _advance(self, number: int, channel: Channel) -> bool:
        """Go on with the pass of a channel, or begin one; False if nothing can be done now."""
        under_way = self._passes[number]
        if not under_way:
            return channel.alive and self._jobs < self._most_jobs and self._open(number)
        if not channel.ready:
            return False
        try:
            found = under_way.next_recipient()
        except (OSError, OddRecord) as problem:
            name = self.files.short(CHANNELS[number], under_way.job.number)
            self.log(f"warning: unknown record type in {name}!" if isinstance(problem, OddRecord)
                     else f"warning: trouble reading {name}; will try again later")
            self._end_pass(number, under_way, whole=False)
            return True
        if found is None:
            self._end_pass(number, under_way, whole=True)
        else:
            self._deliver(channel, under_way.job, *found)
        return True

    def _open(self, channel: int) -> bool:
        """Begin a pass through the message that is due; False if none is."""
        number = self.waiting[channel].take_due(self.now)
        if number is None:
            return False
        self.fresh.unbegun[channel].discard(number)
        fresh = self.fresh.get(number)
        try:
            fd, records, found = self._contents(channel, number, fresh)
        except OSError:
            self._trouble(channel, number)
            return True
        if found is None:
            if fd != -1:
                os.close(fd)
            self._trouble(channel, number)
            return True
        sender, birth = found
        self._jobs += 1
        job = Job(number, channel, sender, next_retry(birth, self.now, channel), self.now > birth + self.settings.lifetime)
        self._passes[channel] = Pass(job, fd, records)
        return True

    def _contents(self, channel: int, number: int, fresh: Fresh | None) -> tuple[int, bytes, tuple[bytes, int] | None]:
        """(open file or -1, what comes first of the recipients, (sender, birth) or None).  Raises OSError."""
        found = None if fresh is None or fresh.sender is None else (fresh.sender, fresh.birth)
        if fresh is not None and found is not None:
            records = fresh.records[channel]
            if fresh.written:
                fresh.records[channel] = None  # from now on marks are in the file
            if records is not None:
                return -1, records, found
        fd = os.open(self.files.paths.name(CHANNELS[channel], number), os.O_RDONLY | os.O_CLOEXEC)
        if found is None:
            try:
                found = self.files.info(number)
            except OSError:
                pass
        return fd, b"", found

    def _trouble(self, channel: int, number: int) -> None:
        """A message whose files cannot be opened waits."""
        self.log("warning: trouble opening ", self.files.short(CHANNELS[channel], number), "; will try again later")
        self.waiting[channel].add(self.now + TRY_AGAIN, number)

    def _end_pass(self, channel: int, under_way: Pass, *, whole: bool) -> None:
        """All recipients are read, or no more can be."""
        under_way.close()
        self._passes[channel] = None
        under_way.job.read_whole = whole
        self._release(under_way.job)

    def _deliver(self, channel: Channel, job: Job, recipient: bytes, position: int) -> None:
        """Order the delivery to one recipient."""
        job.left += 1
        job.references += 1
        self._named += 1
        slot = channel.slots.put(Delivery(job, self._named, position, recipient))
        self.log("starting delivery ", self._named, ": msg ", job.number, f" to {channel.name} ", safe(recipient))
        self.status()
        channel.order(slot, self.files.paths.split_name(job.number), expand_sender(job.sender, recipient), recipient)

    def flush(self, channel: Channel) -> None:
        """Write what a spawner has not taken yet."""
        try:
            channel.write()
        except Lost:
            self.lost(channel)

    def read_reports(self, channel: Channel) -> None:
        """Take what a spawner reports."""
        try:
            for slot, text in channel.read():
                self._report(channel, slot, text)
        except Lost:
            self.lost(channel)

    def _report(self, channel: Channel, slot: int, text: bytes) -> None:
        """One delivery has ended."""
        delivery = channel.slots.take(slot)
        if delivery is None:
            self.log("warning: internal error: delivery report out of range")
            return
        letter, text = text[:1], text[1:]
        if letter == b"Z" and delivery.job.dying:
            letter, text = b"D", text + TOO_OLD
        if letter == b"K":
            self.log("delivery ", delivery.name, ": success: ", safe(text))
            self._mark(delivery)
        elif letter == b"D":
            self.log("delivery ", delivery.name, ": failure: ", safe(text))
            self.status()
            self._write(delivery.job.number)
            note = paragraph(self.settings.routes.without_prepend(delivery.recipient), text)
            self.notes.add(delivery.job.number, note, lambda good: self._noted(delivery, good))
            return
        elif letter == b"Z":
            self.log("delivery ", delivery.name, ": deferral: ", safe(text))
        else:
            self.log("delivery ", delivery.name, ": report mangled, will defer")
        self._release(delivery.job)
        self.status()

    def _write(self, number: int) -> None:
        """Make the files of a message of which there is more to tell than that it is done."""
        if (fresh := self.fresh.get(number)) is not None:
            self.fresh.write(fresh)

    def _noted(self, delivery: Delivery, good: bool) -> None:
        """A failure is in the bounce, or could not be noted: then the recipient is not done, and is tried again."""
        if good:
            fresh = self.fresh.get(delivery.job.number)
            if fresh is not None:
                fresh.noted = True
            self._mark(delivery)
        else:
            self.log("alert: unable to append to bounce message; HELP! will try this delivery again later")
        self._release(delivery.job)

    def _mark(self, delivery: Delivery) -> None:
        """Mark a recipient as done."""
        delivery.job.left -= 1
        self.fresh.mark(delivery.job.number, delivery.job.channel, delivery.position)

    def _release(self, job: Job) -> None:
        """A delivery, or the pass, has let go of a job; the last one decides what becomes of the message."""
        job.references -= 1
        if job.references:
            return
        self._jobs -= 1
        fresh = self.fresh.get(job.number)
        if not job.complete:
            self.waiting[job.channel].add(job.retry, job.number)
            if fresh is not None:
                self.fresh.settle(fresh)
        elif fresh is not None:
            self.fresh.done(fresh, job.channel)
        else:
            self.end_channel(job.channel, job.number)

    def end_channel(self, channel: int, number: int) -> None:
        """A message whose todo/N has gone has no recipients on a channel any more."""
        kind = CHANNELS[channel]
        try:
            self.files.remove(kind, number)
        except OSError:
            self.log("warning: unable to unlink ", self.files.short(kind, number), "; will try again later")
            self.waiting[channel].add(self.now + TRY_AGAIN, number)
            return
        other = CHANNELS[1 - channel]
        try:
            if self.files.exists(other, number):
                return
        except OSError:
            self.log("warning: unable to stat ", self.files.short(other, number))
        self.done.add(0, number)

    def settled(self, fresh: Fresh) -> None:
        """The todo/N of a message has gone; what was done before, is over now."""
        for channel in BOTH:
            if not fresh.made >> channel & 1:
                continue
            if not fresh.left >> channel & 1:
                self.end_channel(channel, fresh.number)
            elif not self.fresh.lazy:
                self.waiting[channel].add(self.now, fresh.number)

    def lost(self, channel: Channel) -> None:
        """A spawner has gone: end as soon as the other deliveries have."""
        self.log("alert: oh no! lost spawn connection! dying...")
        channel.alive = False
        self.exiting = True

    def hasten(self) -> None:
        """Try everything again now."""
        for waiting in self.waiting:
            waiting.hasten(self.now)

    def keep_times(self) -> None:
        """Keep the times of the next tries where a new qmail-send finds them: in the files' mtimes."""
        for kind, waiting in zip(CHANNELS, self.waiting, strict=True):
            for when, number in waiting.drain():
                try:
                    self.files.set_time(kind, number, when)
                except OSError:
                    self.log("warning: unable to utime ", self.files.short(kind, number), "; message will be retried too soon")
