"""The end of a message: its bounce, if it needs one, and its files (INTERNALS: The queue; C: messdone, injectbounce)."""

from __future__ import annotations

import os

from qmailpy.exits import Temporary
from qmailpy.queue.client import QueueProcess
from qmailpy.send import bounce
from qmailpy.send.fresh import ENDING, TRY_AGAIN
from qmailpy.send.writer import KINDS
from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home
    from qmailpy.send.clean import Cleaner
    from qmailpy.send.deliveries import Deliveries
    from qmailpy.send.files import Files
    from qmailpy.send.fresh import Fresh
    from qmailpy.send.log import Log
    from qmailpy.send.settings import Settings
    from qmailpy.send.syncs import Syncs
    from qmailpy.unix.beside import Beside

MOST_BOUNCES = 4  # that are being queued at once


class Later(Exception):
    """The message cannot be finished now; the log has said why."""


class Finisher:
    """Finishes messages that have recipients on neither channel any more, many at a time.

    The steps: the bounce is queued; todo/N goes, if it is still there; local, remote, bounce, info go; that is synced; mess/N goes, and with it
    the number, which another message may get.
    """

    def __init__(self, home: Home, env: Mapping[str, str], files: Files, settings: Settings, deliveries: Deliveries, cleaner: Cleaner, syncs: Syncs,
                 beside: Beside, log: Log) -> None:
        self.home, self.env, self.files, self.settings, self.deliveries = home, env, files, settings, deliveries
        self.cleaner, self.syncs, self.beside, self.log = cleaner, syncs, beside, log
        self._ending: dict[int, Fresh | None] = {}
        # Those whose mess/N qmail-clean removes.  Before it has told us so, another message may have the number, and be finished as well.
        self._going: list[int] = []
        self._bounces: list[tuple[int, bytes]] = []  # to be queued: message, the sender to tell
        self._bouncing = 0

    @property
    def idle(self) -> bool:
        """Whether no message is between its first step and its last."""
        return not self._ending and not self._going

    def finish(self, number: int) -> None:
        """Bounce and remove a message whose todo/N has gone."""
        if number in self._ending:
            return
        try:
            if any(self._exists(kind, number) for kind in CHANNELS) or self.files.in_todo(number) or not self._exists("info", number):
                return  # not finished at all
            self._ending[number] = None
            if not self._exists("mess", number):
                self._remove("bounce", number)
                self.log("warning: msg ", number, " has no message any more; removed")
                self._remove_all(number)
            elif self._exists("bounce", number):
                self._bounce(number, self._sender(number))
            else:
                self._sender(number)
                self._bounced(number)
        except Later:
            self._later(number)

    def finish_fresh(self, fresh: Fresh) -> None:
        """Bounce and remove one whose todo/N still stands."""
        fresh.state = ENDING
        self._ending[fresh.number] = fresh
        try:
            if fresh.noted:
                self._bounce(fresh.number, self._sender(fresh.number) if fresh.sender is None else fresh.sender)
            else:
                self._bounced(fresh.number)
        except Later:
            self._later(fresh.number)

    def _later(self, number: int) -> None:
        fresh = self._ending.pop(number, None)
        if fresh is not None:
            self.deliveries.fresh.again(fresh)
        else:
            self.deliveries.done.add(self.deliveries.now + TRY_AGAIN, number)

    # the bounce

    def _sender(self, number: int) -> bytes:
        """Who sent a message.  Raises Later."""
        try:
            found = self.files.info(number)
        except OSError:
            found = None
        if found is None:
            self.log("warning: trouble reading ", self.files.short("info", number), "; will try again later")
            raise Later
        return found[0]

    def _bounce(self, number: int, sender: bytes) -> None:
        """Tell the sender what is to be told.  Raises Later."""
        sender = bounce.plain_sender(sender)
        if sender == bounce.DOUBLE_BOUNCE:
            self.log("triple bounce: discarding ", self.files.short("bounce", number))
            self._told(number)
        else:
            self._bounces.append((number, sender))
            self._inject()

    def _inject(self) -> None:
        """Queue bounces beside the loop: each takes as long as the disk does."""
        while self._bounces and self._bouncing < MOST_BOUNCES:
            self._bouncing += 1
            self._begin(*self._bounces.pop(0), self.deliveries.now)

    def _begin(self, number: int, sender: bytes, now: int) -> None:
        self.beside.do(lambda: self._queue(number, sender, now), lambda outcome: self._queued(number, outcome))

    def _queue(self, number: int, sender: bytes, now: int) -> tuple[int, str]:
        """(the process id of qmail-queue, or 0; what it says, empty if it has taken the bounce).  In a thread."""
        try:
            queue = QueueProcess(self.home, self.env)
        except Temporary:
            return 0, "unable to start qmail-queue"
        queue.put(bounce.head(sender, self.settings.postmark, now))
        self._copy(self.files.paths.bounce(number), queue)
        queue.put(bounce.middle(sender))
        self._copy(self.files.paths.mess(number), queue, self.settings.bounce_limit)
        bounce_sender, recipient = bounce.addresses(sender, self.settings.postmark)
        queue.envelope(bounce_sender)
        queue.recipient(recipient)
        return queue.pid, "trouble injecting bounce message" if queue.close() else ""

    def _copy(self, path: str, queue: QueueProcess, limit: int = 0) -> None:
        """Add a file to the bounce, `limit` bytes of it (0: all); what cannot be read must not be sent without it."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                for data in bounce.cut(iter(lambda: os.read(fd, BLOCK), b""), limit):
                    queue.put(data)
            finally:
                os.close(fd)
        except OSError:
            queue.fail()

    def _queued(self, number: int, outcome: tuple[int, str]) -> None:
        self._bouncing -= 1
        self._inject()
        pid, trouble = outcome
        if trouble:
            self.log("warning: ", trouble, ", will try later")
            self._later(number)
            return
        self.log("bounce msg ", number, " qp ", pid)
        try:
            self._told(number)
        except Later:
            self._later(number)

    def _told(self, number: int) -> None:
        """What was told is not told again, whatever happens to the other files.  Raises Later."""
        self._remove("bounce", number)
        if (fresh := self._ending[number]) is not None:
            fresh.noted = False
            fresh.cleared.append(self.files.paths.folder("bounce", number))
        self._bounced(number)

    # the files

    def _bounced(self, number: int) -> None:
        """Nothing is left to tell."""
        if self._ending[number] is None:
            self.log("end msg ", number)
            self._remove_all(number)
        else:
            self.cleaner.envelope(number, self._cleaned)

    def _cleaned(self, number: int, good: bool) -> None:
        fresh = self._ending[number]
        assert fresh is not None
        if not good:
            self._later(number)
            return
        self.deliveries.fresh.forget(fresh)
        self.log("end msg ", number)
        self._remove_all(number)

    def _remove_all(self, number: int) -> None:
        """Have local, remote and info removed, and that synced: beside the loop, since to remove a file may take as long as to sync one."""
        fresh, paths = self._ending[number], self.files.paths
        if fresh is None:
            kinds, gone, cleared = [*KINDS], ["info"], []  # the others had gone before
        else:
            kinds, gone, cleared = fresh.kinds, fresh.kinds[::-1], fresh.cleared
        folders = [*(paths.folder(kind, number) for kind in ("todo", *kinds)), *cleared]
        self.syncs.want(folders, self._synced, number, [paths.name(kind, number) for kind in gone], self._kept)

    def _kept(self, number: int, path: str) -> None:
        """A message whose todo/N has gone has a file that cannot be removed now."""
        self.log("warning: unable to unlink ", self.files.paths.short(path), "; will try again later")
        fresh = self._ending.pop(number)
        when, left = self.deliveries.now + TRY_AGAIN, False
        for channel, kind in enumerate(CHANNELS):
            if fresh is not None and fresh.made >> channel & 1 and os.path.lexists(self.files.paths.name(kind, number)):
                self.deliveries.waiting[channel].add(when, number)
                left = True
        if not left:
            self.deliveries.done.add(when, number)

    def remove_message(self, number: int) -> None:
        """Remove a mess/N that has nothing beside it, or will have when this is synced."""
        if number not in self._ending and number not in self._going:
            self._ending[number] = None
            self.syncs.want([self.files.paths.folder(kind, number) for kind in ("todo", *KINDS)], self._synced, number)

    def _synced(self, number: int, good: bool) -> None:
        del self._ending[number]
        if good:
            self._going.append(number)
            self.cleaner.message(number, self._gone)
        else:
            # Its files may come back after a power cut: the number must not go to another message.
            self.log("warning: trouble fsyncing what was removed of msg ", number, "; it is left in mess")

    def _gone(self, number: int, good: bool) -> None:
        self._going.remove(number)

    def _exists(self, kind: str, number: int) -> bool:
        try:
            return self.files.exists(kind, number)
        except OSError:
            self.log("warning: unable to stat ", self.files.short(kind, number), "; will try again later")
            raise Later from None

    def _remove(self, kind: str, number: int) -> None:
        try:
            self.files.remove(kind, number)
        except OSError:
            self.log("warning: unable to unlink ", self.files.short(kind, number), "; will try again later")
            raise Later from None
