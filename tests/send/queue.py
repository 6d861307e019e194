"""A queue folder for tests."""

import os
import threading
from pathlib import Path

from qmailpy.home import Home
from qmailpy.queue.boot import Boot
from qmailpy.queue.paths import Paths
from qmailpy.send.channel import Channel
from qmailpy.send.clean import Cleaner
from qmailpy.send.daemon import Daemon
from qmailpy.send.files import Files
from qmailpy.send.log import Log
from qmailpy.send.settings import Settings
from qmailpy.unix.files import remove
from qmailpy.unix.poll import Poll


def make(place, *, big_todo=False, split=3):
    """An empty queue below `place`."""
    paths = Paths(str(place), split, big_todo)
    for kind in ("mess", "info", "local", "remote", "intd", "todo", "bounce"):
        for number in range(split):
            os.makedirs(paths.folder(kind, number), exist_ok=True)
    os.makedirs(place / "lock", exist_ok=True)
    os.mkfifo(place / "lock/trigger")
    (place / "lock/boot").touch()
    return paths


def put(paths, number, **files):
    """Write a message's files."""
    for kind, content in files.items():
        with open(paths.name(kind, number), "wb") as out:
            out.write(content)


class Around:
    """A daemon, and the other ends of its pipes: spawners that are told what to report, a qmail-clean that obeys when it is asked to."""

    def __init__(self, place, limit=3, env=None, **options):
        (place / "control").mkdir(exist_ok=True)
        (place / "control/me").write_text("me\n")
        if not (place / "queue").exists():
            (place / "queue").mkdir()
            make(place / "queue", **options)
        self.paths, self.log, self.fds, self.spawners, channels = Paths(str(place / "queue"), 3, options.get("big_todo", False)), Lines(), [], [], []
        for name in ("local", "remote"):
            orders, reports = self.pipe(), self.pipe()
            os.write(reports[1], bytes([limit]))
            channels.append(Channel(name, orders[1], reports[0], 120))
            channels[-1].hello(20)
            self.spawners.append((orders[0], reports[1]))
        requests, answers = self.pipe(), self.pipe()
        self.requests, self.answers = requests[0], answers[1]
        home = Home(str(place))
        self.daemon = Daemon(home, env or {}, Files(self.paths), Settings(home), tuple(channels), Cleaner(requests[1], answers[0], self.log),
                             Boot(self.paths.lock("boot")), self.log)
        self.poll, self.asked = Poll(), []
        for fd in (self.daemon.beside.fd, self.daemon.cleaner.answers, *(channel.reports for channel in channels)):
            self.poll.add(fd)

    def pipe(self):
        ends = os.pipe()
        self.fds += ends
        return ends

    def close(self):
        for fd in self.fds:
            try:
                os.close(fd)
            except OSError:
                pass

    def start(self):
        """Let the daemon take up the queue, as its first look at the clock makes it."""
        self.daemon.load()
        return self

    def turn(self, clean=True, seconds=0):
        """One turn of the loop; what qmail-clean is asked is done."""
        self.daemon.tell_time()
        self.daemon.turn(set(self.poll.wait(seconds)), self.poll)
        for request in self.requested():
            self.asked.append(request)
            if clean:
                self.obey(request)

    def until(self, condition):
        """Turns until something is so."""
        for _ in range(3000):
            if condition():
                return
            self.turn(seconds=0.005)
        raise AssertionError(self.log.lines)

    def requested(self):
        os.set_blocking(self.requests, False)
        try:
            return os.read(self.requests, 65536).split(b"\0")[:-1]
        except BlockingIOError:
            return []

    def obey(self, request):
        word, number = request.split(b"/")
        for kind in ("intd", {b"todo": "todo", b"foop": "mess"}[word]):
            remove(self.paths.name(kind, int(number)))
        os.write(self.answers, b"+")

    def orders(self, channel=0):
        """What a spawner was ordered since the last call: (slot, message, sender, recipient)."""
        os.set_blocking(self.spawners[channel][0], False)
        try:
            words = os.read(self.spawners[channel][0], 65536).split(b"\0")[:-1]
        except BlockingIOError:
            return []
        # The slot is the first byte; that of the first delivery is NUL, and so ends a word of its own.
        found, at = [], 0
        while at < len(words):
            slot, at = (0, at + 1) if not words[at] else (words[at][0], at)
            message = words[at] if not slot else words[at][1:]
            found.append((slot, message, words[at + 1], words[at + 2]))
            at += 3
        return found

    def report(self, slot, text, channel=0):
        """A spawner reports; heard in the next turn."""
        os.write(self.spawners[channel][1], bytes([slot]) + text + b"\0")

    def put(self, number, **files):
        put(self.paths, number, **files)

    def mail(self, number, *recipients, sender=b"s@x"):
        """A message as qmail-queue leaves it."""
        envelope = b"u1\0p2\0F" + sender + b"\0" + b"".join(b"T%s\0" % recipient for recipient in recipients)
        self.put(number, mess=b"m", intd=envelope)
        os.link(self.paths.intd(number), self.paths.todo(number))

    def pull(self):
        """Pull the trigger, as qmail-queue does."""
        self.daemon.incoming.pull()

    def left(self, number, *kinds):
        """Which files a message has."""
        return {kind for kind in kinds or ("mess", "intd", "todo", "info", "local", "remote", "bounce") if Path(self.paths.name(kind, number)).exists()}

    def content(self, kind, number):
        return Path(self.paths.name(kind, number)).read_bytes()


class Lines(Log):
    """A log that is only kept."""

    __slots__ = ("lines",)

    def __init__(self):
        super().__init__()
        self.lines = []

    def flush(self):
        if self.before is not None:
            self.before()
        self.lines += self._lines
        self._lines.clear()


class Restless:
    """While its block runs, messages with the given numbers come into the queue and leave it again, in the order in which daemons do that."""

    def __init__(self, paths, numbers):
        self.paths, self.numbers, self.over, self.rounds = paths, numbers, threading.Event(), 0
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        self.thread.join()

    def work(self):
        while not self.over.is_set():
            for number in self.numbers:
                for kind, content in (("mess", b"m"), ("todo", b"e"), ("local", b"Tmoving@me\0"), ("info", b"Fmoving@x\0")):
                    put(self.paths, number, **{kind: content})
            for number in self.numbers:
                for kind in ("todo", "local", "info", "mess"):
                    os.unlink(self.paths.name(kind, number))
            self.rounds += 1
