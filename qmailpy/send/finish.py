"""The end of a message: its bounce, if it needs one, and its files (INTERNALS: The queue; C: messdone, injectbounce)."""

from __future__ import annotations

import os

from qmailpy.exits import Temporary
from qmailpy.queue.client import QueueProcess
from qmailpy.send import bounce
from qmailpy.send.log import log
from qmailpy.text.route import CHANNELS
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home
    from qmailpy.send.clean import Cleaner
    from qmailpy.send.files import Files
    from qmailpy.send.settings import Settings


class Later(Exception):
    """The message cannot be finished now; the log has said why."""


class Finisher:
    """Finishes messages that have recipients on neither channel any more."""

    def __init__(self, home: Home, env: Mapping[str, str], files: Files, settings: Settings, cleaner: Cleaner) -> None:
        self.home, self.env, self.files, self.settings, self.cleaner = home, env, files, settings, cleaner

    def finish(self, number: int, now: int) -> None:
        """Bounce and remove a message.  Raises Later, clean.Lost."""
        if any(self._exists(kind, number) for kind in CHANNELS) or self.files.in_todo(number) or not self._exists("info", number):
            return  # not finished at all
        if self._exists("mess", number):
            self._bounce(number, now)
            log("end msg ", number)
        else:
            self._remove("bounce", number)
            log("warning: msg ", number, " has no message any more; removed")
        self._remove("info", number)
        self.cleaner.message(number)

    def _exists(self, kind: str, number: int) -> bool:
        try:
            return self.files.exists(kind, number)
        except OSError:
            log("warning: unable to stat ", self.files.short(kind, number), "; will try again later")
            raise Later from None

    def _remove(self, kind: str, number: int) -> None:
        try:
            self.files.remove(kind, number)
        except OSError:
            log("warning: unable to unlink ", self.files.short(kind, number), "; will try again later")
            raise Later from None

    def _bounce(self, number: int, now: int) -> None:
        """Send the bounce, if there is anything to tell.  Raises Later."""
        try:
            found = self.files.info(number)
        except OSError:
            found = None
        if found is None:
            log("warning: trouble reading ", self.files.short("info", number), "; will try again later")
            raise Later
        if not self._exists("bounce", number):
            return
        sender = bounce.plain_sender(found[0])
        if sender == bounce.DOUBLE_BOUNCE:
            log("triple bounce: discarding ", self.files.short("bounce", number))
        else:
            self._inject(number, sender, now)
        self._remove("bounce", number)

    def _inject(self, number: int, sender: bytes, now: int) -> None:
        """Have the bounce queued.  Raises Later."""
        try:
            queue = QueueProcess(self.home, self.env)
        except Temporary:
            log("warning: unable to start qmail-queue, will try later")
            raise Later from None
        queue.put(bounce.head(sender, self.settings.postmark, now))
        self._copy(self.files.paths.bounce(number), queue)
        queue.put(bounce.middle(sender))
        self._copy(self.files.paths.mess(number), queue, self.settings.bounce_limit)
        bounce_sender, recipient = bounce.addresses(sender, self.settings.postmark)
        queue.envelope(bounce_sender)
        queue.recipient(recipient)
        if queue.close():
            log("warning: trouble injecting bounce message, will try later")
            raise Later
        log("bounce msg ", number, " qp ", queue.pid)

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
