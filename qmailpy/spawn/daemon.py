"""The loop that qmail-lspawn and qmail-rspawn share: orders in, one child for each, reports out (qmail-lspawn(8), qmail-rspawn(8))."""

from __future__ import annotations

import os
import stat

from qmailpy.spawn.orders import OrderReader, encode
from qmailpy.unix.fds import BLOCK, close_quietly, write_all
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import allow_descriptors, any_ended, pipe
from qmailpy.unix.signals import CHLD, Wakeup, shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.home import Home
    from qmailpy.spawn.orders import Order

SPARE = 50  # descriptors beside one for each delivery
READ_LIMIT = 1 << 20  # bytes kept of a child's output where a report has no limit of its own


class Delivery:
    """A child at work: its slot, its pid, where its output comes from, what it was so far."""

    __slots__ = ("number", "pid", "fd", "output", "status")

    def __init__(self, number: int, pid: int, fd: int) -> None:
        self.number, self.pid, self.fd = number, pid, fd
        self.output = b""
        self.status: int | None = None  # how it ended, once it has


class Spawner:
    """One spawner.

    begin   (order, message descriptor, output descriptor) -> pid: start the child; may raise OSError
    report  (status, output) -> the report's letter and text
    limit   bytes of output that a report may have; what is cut is said to be cut by `too_long`
    """

    def __init__(self, home: Home, begin: Callable[[Order, int, int], int], report: Callable[[int, bytes], bytes],
                 limit: int = READ_LIMIT, too_long: bytes = b"") -> None:
        self.home, self.begin, self.report = home, begin, report
        self.limit, self.too_long = limit, too_long
        self.owner = home.uid("qmailq")
        self.running: dict[int, Delivery] = {}  # by delivery number
        self.by_fd: dict[int, Delivery] = {}
        self.by_pid: dict[int, Delivery] = {}
        self.said: list[bytes] = []  # and not written yet
        self.reading = self.writing = True

    def run(self) -> None:
        """Serve until descriptor 0 ends and the last child has reported."""
        allow_descriptors(self.home.spawn + SPARE)
        with shielded():
            wakeup = Wakeup([CHLD])
            try:
                self.loop(wakeup)
            finally:
                wakeup.close()

    def loop(self, wakeup: Wakeup) -> None:
        """Take orders and output as they come."""
        orders = OrderReader(self.home.spawn)
        poll = Poll()
        poll.add(0)
        poll.add(wakeup.fd)
        self.said.append(encode(self.home.spawn, self.home.spawn))
        self.flush()
        while self.reading or self.running:
            for fd in poll.wait():
                if fd == wakeup.fd:
                    wakeup.take()
                    self.reap()
                elif fd == 0:
                    self.take_orders(orders, poll)
                else:
                    self.take_output(self.by_fd[fd], poll)
            self.flush()

    def take_orders(self, orders: OrderReader, poll: Poll) -> None:
        """Read what qmail-send wants, and begin it."""
        try:
            data = os.read(0, BLOCK)
        except OSError:
            data = b""
        if not data:
            self.reading = False
            poll.drop(0)
        for order in orders.feed(data):
            if trouble := self.obey(order, poll):
                self.say(order.number, trouble.encode())

    def obey(self, order: Order, poll: Poll) -> str:
        """Begin a delivery; the report in case it cannot be begun."""
        if order.number >= self.home.spawn:
            return "ZInternal error: delnum too big. (#4.3.5)\n"
        if order.number in self.running:
            return "ZInternal error: delnum in use. (#4.3.5)\n"
        if trouble := order.wrong():
            return trouble
        try:
            message = os.open(self.home.at("queue", "mess", os.fsdecode(order.message)), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return "Zqmail-spawn unable to open message. (#4.3.0)\n"
        try:
            return self.unfit(message) or self.launch(order, message, poll)
        finally:
            os.close(message)

    def unfit(self, message: int) -> str:
        """Why an open file cannot be a message of the queue; "" if it can."""
        try:
            found = os.fstat(message)
        except OSError:
            return "Zqmail-spawn unable to fstat message. (#4.3.0)\n"
        if not stat.S_ISREG(found.st_mode):
            return "ZSorry, message has wrong type. (#4.3.5)\n"
        if found.st_uid != self.owner:
            return "ZSorry, message has wrong owner. (#4.3.5)\n"
        return ""

    def launch(self, order: Order, message: int, poll: Poll) -> str:
        """Start the child; the report in case there can be none."""
        try:
            fd, target = pipe()
        except OSError:
            return "Zqmail-spawn unable to create pipe. (#4.3.0)\n"
        try:
            pid = self.begin(order, message, target)
        except OSError:
            close_quietly(fd)
            return "Zqmail-spawn unable to fork. (#4.3.0)\n"
        finally:
            os.close(target)
        delivery = self.running[order.number] = self.by_fd[fd] = self.by_pid[pid] = Delivery(order.number, pid, fd)
        poll.add(delivery.fd)
        return ""

    def take_output(self, delivery: Delivery, poll: Poll) -> None:
        """Read what a child prints; at the end of it the report may be due."""
        data = os.read(delivery.fd, BLOCK)
        if not data:
            poll.drop(delivery.fd)
            os.close(delivery.fd)
            del self.by_fd[delivery.fd]
            delivery.fd = -1
            self.finish(delivery)
            return
        if len(delivery.output) <= self.limit:
            delivery.output += data
            if len(delivery.output) > self.limit:
                delivery.output = delivery.output[:self.limit + 1]

    def reap(self) -> None:
        """Note which children have ended."""
        for pid, status in any_ended():
            if delivery := self.by_pid.pop(pid, None):
                delivery.status = os.waitstatus_to_exitcode(status)
                self.finish(delivery)

    def finish(self, delivery: Delivery) -> None:
        """Report a delivery whose child has ended and whose output nobody holds open any more."""
        if delivery.status is None or delivery.fd != -1:
            return
        output = delivery.output
        if len(output) > self.limit:
            output = output[:self.limit - len(self.too_long) - 3] + self.too_long
        del self.running[delivery.number]
        self.say(delivery.number, self.report(delivery.status, output))

    def say(self, number: int, text: bytes) -> None:
        """Make one report."""
        self.said += encode(number, self.home.spawn), text, b"\0"

    def flush(self) -> None:
        """Tell qmail-send what was said in this turn; once it has gone, nobody, but the deliveries under way go on."""
        data = b"".join(self.said)
        self.said.clear()
        if data and self.writing:
            try:
                write_all(1, data)
            except OSError:
                self.writing = False
