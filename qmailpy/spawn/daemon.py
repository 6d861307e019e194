"""The loop that qmail-lspawn and qmail-rspawn share: orders in, one child for each, reports out (qmail-lspawn(8), qmail-rspawn(8))."""

from __future__ import annotations

import os
import stat

from qmailpy.spawn.crew import Crew, Task
from qmailpy.spawn.orders import OrderReader, encode
from qmailpy.unix.fds import BLOCK, close_quietly, write_all
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import allow_descriptors, pipe
from qmailpy.unix.signals import CHLD, Wakeup, shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.home import Home
    from qmailpy.spawn.crew import Kind
    from qmailpy.spawn.orders import Order

SPARE = 50  # descriptors beside those of the deliveries
EACH = 4  # descriptors that a delivery may have open at once: message, both ends of its output, the connection with a child
READ_LIMIT = 1 << 20  # bytes kept of a child's output where a report has no limit of its own
NO_CHILD = b"Zqmail-spawn unable to fork. (#4.3.0)\n"


class Delivery:
    """An order under way.

    order   what is to be done
    fds     the message, and where the output goes: the child's descriptors 0 and 1; ours until they are handed over
    fd      where its output comes from; -1: it has ended
    output  what it was so far
    status  how the child ended, once it has
    report  what is said in the place of what follows from status and output
    """

    __slots__ = ("order", "fds", "fd", "output", "status", "report")

    def __init__(self, order: Order, message: int, target: int, fd: int) -> None:
        self.order, self.fd = order, fd
        self.fds: tuple[int, ...] = (message, target)
        self.output = self.report = b""
        self.status: int | None = None

    def hand_over(self) -> None:
        """Somebody else has the message and the output, or nobody needs them."""
        close_quietly(*self.fds)
        self.fds = ()


class Spawner:
    """One spawner.

    begin   what is to be done with a delivery, whose fds it closes by hand_over: has the crew do it, or ends it; may raise OSError
    report  (status, output) -> the report's letter and text
    limit   bytes of output that a report may have; what is cut is said to be cut by `too_long`
    crew    the children
    stays   there are descriptors enough for children that stay
    """

    def __init__(self, home: Home, begin: Callable[[Delivery], None], report: Callable[[int, bytes], bytes],
                 limit: int = READ_LIMIT, too_long: bytes = b"") -> None:
        self.home, self.begin, self.report = home, begin, report
        self.limit, self.too_long = limit, too_long
        self.owner = home.uid("qmailq")
        self.poll = Poll()
        self.crew = Crew(self.poll)
        self.stays = False
        self.running: dict[int, Delivery] = {}  # by delivery number
        self.by_fd: dict[int, Delivery] = {}
        self.said: list[bytes] = []  # and not written yet
        self.reading = self.writing = True

    def run(self) -> None:
        """Serve until descriptor 0 ends and the last child has reported."""
        self.stays = allow_descriptors(EACH * self.home.spawn + SPARE)
        with shielded():
            wakeup = Wakeup([CHLD])
            try:
                self.loop(wakeup)
            finally:
                wakeup.close()

    def loop(self, wakeup: Wakeup) -> None:
        """Take orders and output as they come.  What closes descriptors comes before what opens any: a number that is ready is still the same file's."""
        orders = OrderReader(self.home.spawn)
        self.poll.add(0)
        self.poll.add(wakeup.fd)
        self.said.append(encode(self.home.spawn, self.home.spawn))
        self.flush()
        while self.reading or self.running:
            ready = self.poll.wait(self.crew.patience())
            for fd in ready:
                if (delivery := self.by_fd.get(fd)) is not None:
                    self.take_output(delivery)
                else:
                    self.crew.hear(fd)
            if wakeup.fd in ready:
                wakeup.take()
                self.crew.reap()
            if 0 in ready:
                self.take_orders(orders)
            self.crew.go_on()
            self.flush()
        self.crew.end()

    def take_orders(self, orders: OrderReader) -> None:
        """Read what qmail-send wants, and begin it."""
        try:
            data = os.read(0, BLOCK)
        except OSError:
            data = b""
        if not data:
            self.reading = False
            self.poll.drop(0)
        for order in orders.feed(data):
            if trouble := self.obey(order):
                self.say(order.number, trouble.encode())

    def obey(self, order: Order) -> str:
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
        if (trouble := self.unfit(message) or self.launch(order, message)):
            close_quietly(message)
        return trouble

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

    def launch(self, order: Order, message: int) -> str:
        """Have it done; the report in case it cannot be, and then the message stays the caller's to close."""
        try:
            fd, target = pipe()
        except OSError:
            return "Zqmail-spawn unable to create pipe. (#4.3.0)\n"
        delivery = self.running[order.number] = self.by_fd[fd] = Delivery(order, message, target, fd)
        self.poll.add(fd)
        try:
            self.begin(delivery)
        except OSError:
            self.end(delivery, None)
        return ""

    def give(self, delivery: Delivery, kind: Kind, data: bytes) -> None:
        """Have a child of this kind do it."""
        self.crew.add(Task(kind, data, delivery.fds, delivery.hand_over, lambda status, _: self.end(delivery, status)))

    def once(self, delivery: Delivery, pid: int) -> None:
        """A child does it, and nothing else."""
        self.crew.once(pid, lambda status, _: self.end(delivery, status))
        delivery.hand_over()

    def take_output(self, delivery: Delivery) -> None:
        """Read what a child prints; at the end of it the report may be due."""
        data = os.read(delivery.fd, BLOCK)
        if not data:
            self.poll.drop(delivery.fd)
            os.close(delivery.fd)
            del self.by_fd[delivery.fd]
            delivery.fd = -1
            self.finish(delivery)
            return
        if len(delivery.output) <= self.limit:
            delivery.output += data
            if len(delivery.output) > self.limit:
                delivery.output = delivery.output[:self.limit + 1]

    def end(self, delivery: Delivery, status: int | None) -> None:
        """How a delivery's child has ended, or would have; None: there can be none."""
        delivery.hand_over()
        if status is None:
            status, delivery.report = 0, NO_CHILD
        delivery.status = status
        self.finish(delivery)

    def finish(self, delivery: Delivery) -> None:
        """Report a delivery whose child has ended and whose output nobody holds open any more."""
        if delivery.status is None or delivery.fd != -1:
            return
        output = delivery.output
        if len(output) > self.limit:
            output = output[:self.limit - len(self.too_long) - 3] + self.too_long
        number = delivery.order.number
        del self.running[number]
        self.say(number, delivery.report or self.report(delivery.status, output))

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
