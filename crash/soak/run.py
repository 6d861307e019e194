"""One run: the load, the kills, the wait for the queue to become empty, and what is found then."""

import os
import signal
import subprocess
import time

from crash.soak import clients, sink
from crash.soak.family import Killer, family_of, role_of, weigh
from crash.soak.host import PATH, Host, listeners
from crash.soak.letters import ASTRAY, CONCURRENCY, TORN, WHOLE, Letters
from crash.soak.logs import Log
from crash.soak.place import Place, Unusable
from crash.soak.verdict import History
from qmailpy.unix.descendants import adopt_orphans, descendants, end_all
from qmailpy.unix.process import allow_descriptors, send_signal

SENDING, KILLING = 0.6, 0.8  # of the time; in the rest the queue becomes empty
PACE = 0.8  # of the time for sending that it takes if nothing holds it up
GRACE = 60  # seconds without the end of a message, when the time is over, until the rest counts as stuck; in all, it waits once more as long, and this
STARTING = ENDING = 60  # seconds for all processes to be there, or to be gone
ALARM, PROGRESS, WEIGHING, LOOK = 2.0, 5.0, 10.0, 0.2  # seconds between two
TICK = 0.02
SENDERS = 2  # processes
SETTLE = 1.0  # seconds without work before anything is weighed
POOLED = ("worker of servers", "worker of queue")
WEIGHED = ("qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean", "supervisor of servers", "supervisor of queue", "keeper of servers", "keeper of queue")
# How much more a process may have in the end than its like had in the beginning, and how much more memory at any time: descriptors, KiB.
FEW, DESCRIPTORS = 6, {"qmail-lspawn": 2 * CONCURRENCY["local"], "qmail-rspawn": 2 * CONCURRENCY["remote"]}  # spawners may keep children for later
MEMORY, PEAK = 48 << 10, 128 << 10


class Soak:
    """A run.

    options  seconds, sessions, messages, seed, every (seconds between two kills), workers (of the servers' pool)
    say      is given lines for people
    """

    def __init__(self, home, options, say):
        self.home, self.options, self.say = home, options, say
        self.place, self.host, self.letters, self.log = Place(home), Host(), Letters(options.seed), Log()
        self.history = History(self.letters.recipients, self.log)
        self.killer = Killer(options.seed, os.getpid())
        self.open, self.most_open, self.refused, self.unserved = {}, 0, 0, 0
        self.first, self.due = {}, {}
        self.begun, self.took, self.is_awake = time.monotonic(), 0.0, False

    def run(self):
        """All of it; a verdict.History.  Raises Unusable."""
        adopt_orphans()
        allow_descriptors(4096)
        self.prepare()
        try:
            self.wait(STARTING, self.is_up, "not all processes are there")
            self.weigh(self.first)
            self.begun = time.monotonic()
            self.load()
            self.took = time.monotonic() - self.begun
            self.weigh_again()
            self.conclude()
        finally:
            end_all(ENDING)
        self.history.kills = self.killer.kills
        for what, which in self.place.letters(self.letters.judge):
            self.find(what, which)
        return self.history

    def prepare(self):
        """Files, services, and the other host."""
        listener = sink.listening()
        self.place.prepare(listener.getsockname()[1], self.options.workers or self.options.sessions)
        self.record = open(self.home.at("soak/log"), "a", buffering=1)  # noqa: SIM115 (as long as the run)
        subprocess.run([self.home.at("bin/qmail-newu")], check=True)
        self.sink = self.host.help(lambda: sink.work(self.options.seed, 3), self.hear_sink, {3: listener.fileno()})
        listener.close()
        env = {"PATH": f"{self.home.path}/bin:{PATH}"}
        self.host.serve("qmail-start", [self.home.at("bin/qmail-start"), "./Maildir/"], env, self.hear_service, self.note_start)
        servers = listeners(self.home, self.options.sessions)
        self.ports = [port for _, port in servers.values()]
        for name, (argv, _) in servers.items():
            self.host.serve(name, argv, env, self.hear_service)

    # what is told

    def note(self, line):
        """Keep a line, with the time."""
        self.record.write(f"{time.monotonic() - self.begun:.3f} {line}\n")

    def hear_service(self, name, line):
        """A line of a service."""
        self.note(f"{name}: {line}")
        self.is_awake = self.is_awake or line.startswith("status: local ")
        self.log.read(line)

    def note_start(self):
        """qmail-start is about to be started."""
        self.note("qmail-start is started")
        self.is_awake = False
        self.log.restart()

    def hear_sink(self, line):
        """The other host has taken a letter."""
        what, _, which = line.partition(" ")
        self.find(what, which)

    def find(self, what, which):
        """A letter was found at its end."""
        if what == WHOLE:
            self.history.copies[which] = self.history.copies.get(which, 0) + 1
        else:
            {TORN: self.history.torn, ASTRAY: self.history.astray}[what].append(which)

    def hear_client(self, number, line):
        """What became of an attempt to send a letter (clients.py)."""
        word, _, rest = line.partition(" ")
        ticket = rest.partition(" ")[0]
        if word == "open":
            self.open[number] = int(ticket)
            self.most_open = max(self.most_open, sum(self.open.values()))
            return
        if word == "sent":
            self.history.sent.add(ticket)
            return
        self.note(f"client: {line}")
        if word == "doubt":
            self.history.doubtful.add(ticket)
        elif word == "silent":
            self.history.silent.append(ticket)
        elif word == "away":
            self.unserved += rest == "silent"
        else:
            self.refused += 1

    # the load

    def family(self):
        """[(role, pid)] of the home's processes."""
        family = family_of(os.getpid())
        return [(role, pid) for pid in family if (role := role_of(pid, family, os.getpid()))]

    def is_up(self):
        """Whether everybody is there who has something to do from the beginning."""
        return {*WEIGHED, *POOLED, *self.host.services} - {"qmail-start"} <= {role for role, _ in self.family()}

    def is_due(self, what, every):
        """Whether something is to be done again, `every` so many seconds."""
        now = time.monotonic()
        if now < self.due.get(what, 0.0):
            return False
        self.due[what] = now + every
        return True

    def load(self):
        """Send, kill, wait until all has been delivered or the time is over."""
        span, options = self.options.seconds, self.options
        rate = options.messages / (span * SENDING * PACE) / SENDERS
        senders = [self.host.help(self.client(number, rate), lambda line, number=number: self.hear_client(number, line)) for number in range(SENDERS)]
        self.due["kill"] = time.monotonic() + options.every
        ended, at = 0, 0.0
        while (passed := time.monotonic() - self.begun) < 2 * span + GRACE and passed < max(at, span) + GRACE:
            self.tick()
            if self.log.ended > ended:
                ended, at = self.log.ended, passed
            if passed > span * SENDING and self.is_due("stop", 3 * span + GRACE):
                for pid in senders:
                    send_signal(pid, signal.SIGTERM)
            if passed < span * KILLING and self.is_due("kill", 0) and self.killer.strike(self.note):
                self.due["kill"] = time.monotonic() + options.every
            if not any(map(self.host.helps, senders)) and self.is_due("look", LOOK) and not self.place.accepted():
                return

    def client(self, number, rate):
        """What a client's process does."""
        numbers, sessions = range(number, self.options.messages, SENDERS), max(self.options.sessions // SENDERS, 1)
        return lambda: clients.work(self.options.seed, numbers, self.ports, sessions, rate)

    def tick(self):
        """A moment: all is looked after, everything is tried again, people are told how it goes."""
        self.host.look_after()
        if self.is_due("alarm", ALARM):
            self.hasten()
        if self.is_due("weigh", WEIGHING):
            self.watch_peaks()
        if self.is_due("progress", PROGRESS):
            history = self.history
            self.say(f"{time.monotonic() - self.begun:4.0f} s: accepted {len(history.sent)}, refused {self.refused}, doubtful {len(history.doubtful)}, "
                     f"ended {self.log.ended}, waiting {self.place.accepted()}, sessions {sum(self.open.values())}, kills {sum(self.killer.kills.values())}")
        time.sleep(TICK)

    def hasten(self):
        """Have qmail-send try everything now, and look for new mail as the next message would have it do."""
        if self.is_awake and (pid := self.host.services["qmail-start"].pid):  # before it is awake the signal would end it
            send_signal(pid, signal.SIGALRM)
        self.place.pull()

    def wait(self, seconds, condition, what):
        """Let the time pass until something is so.  Raises Unusable if it does not come to be."""
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                raise Unusable(f"{what}: {self.family()}")
            self.tick()

    # what they weigh

    def weigh(self, weights, roles=(*WEIGHED, *POOLED)):
        """Fill {role: [most descriptors, most KiB]} for those that are there."""
        for role, pid in self.family():
            if role in roles and (found := weigh(pid)):
                weights[role] = [max(pair) for pair in zip(found, weights.get(role, found), strict=True)]

    def watch_peaks(self):
        """Note who has grown too much, once."""
        now = {}
        self.weigh(now, WEIGHED)
        for role, (_, memory) in now.items():
            if self.first and memory > self.first[role][1] + PEAK and not any(line.startswith(f"{role}:") for line in self.history.grown):
                self.history.grown.append(f"{role}: {memory} KiB, {self.first[role][1]} at first")

    def weigh_again(self):
        """Note who has more than in the beginning, when there is nothing to do any more."""
        limit = time.monotonic() + SETTLE
        while time.monotonic() < limit:
            self.tick()
        last = {}
        self.weigh(last)
        for role, (descriptors, memory) in last.items():
            had = self.first[role]
            if descriptors > had[0] + DESCRIPTORS.get(role, FEW) or memory > had[1] + MEMORY:
                self.history.grown.append(f"{role} in the end: {descriptors} descriptors, {memory} KiB; at first {had[0]}, {had[1]} KiB")

    # the end

    def conclude(self):
        """End all; then let time pass, and have qmail-send sweep up what killed programs have left."""
        self.stop()
        self.history.left = [name for name in self.place.queued() if name.startswith(("todo/", "info/", "local/", "remote/", "bounce/"))]
        self.place.age()
        self.host.services["qmail-start"].wanted = True
        self.pass_time(ENDING, lambda: not self.place.queued())
        self.history.left += [name for name in self.place.queued() if name not in self.history.left]
        self.stop()

    def stop(self):
        """End all services; who does not end is noted."""
        for service in self.host.services.values():
            service.end()
        # Children of one who ends have no parent that a look at all processes is sure to find: only none, twice, is none.
        self.pass_time(ENDING, lambda: not self.strangers() and not self.strangers())
        family = family_of(os.getpid())
        self.history.remaining += [f"{pid} {family[pid].name}" for pid in self.strangers() if pid in family]

    def strangers(self):
        """Processes that are not ours."""
        return [pid for pid in descendants() if pid != self.sink]

    def pass_time(self, seconds, condition):
        """Wait for something, without doing anything for it."""
        limit = time.monotonic() + seconds
        while not condition() and time.monotonic() < limit:
            self.host.look_after()
            time.sleep(TICK)
