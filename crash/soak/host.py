"""A host for the home: starts its services, starts them again when they end, as svscan does, buries orphans, and hears what all of them say."""

import os
import random
import shutil
import signal
import socket
import time

from crash.soak.place import Unusable
from qmailpy.unix.fds import set_nonblocking
from qmailpy.unix.process import any_ended, fork_working, pipe, send_signal, spawn

PAUSE = 1.0  # seconds before a service is started again
PORTS = range(20000, 32000)  # below those that the system gives to clients
SPARE = 20  # connections that a listener takes beyond those that there are to be
PATH = "/usr/local/bin:/usr/bin:/bin"


class Lines:
    """What comes out of a pipe, line by line.  `over`: nobody has its other end any more."""

    def __init__(self, read):
        self.source, self.target = pipe()
        set_nonblocking(self.source)
        self.read, self.rest, self.over = read, b"", False

    def hear(self):
        """Take in whole lines."""
        while not self.over:
            try:
                data = os.read(self.source, 1 << 16)
            except BlockingIOError:
                return
            self.over = not data
            *lines, self.rest = (self.rest + data).split(b"\n")
            for line in lines:
                self.read(line.decode("latin-1"))


class Helper:
    """A process of ours that tells something on descriptor 1, and ends by itself.  `fds`: what else it has."""

    def __init__(self, work, read, fds):
        self.lines = Lines(read)
        nothing = os.open(os.devnull, os.O_RDWR)
        self.pid = fork_working(work, {0: nothing, 1: self.lines.target, 2: 2, **fds})
        os.close(nothing)
        os.close(self.lines.target)


class Service:
    """A program that is to run always.  `restarted`: called before it is started."""

    def __init__(self, argv, env, read, restarted):
        self.argv, self.env, self.restarted = argv, env, restarted
        self.lines, self.pid, self.due, self.wanted = Lines(read), 0, 0.0, True

    def look_after(self, now):
        """Hear what it says, start it when it is due."""
        self.lines.hear()
        if self.wanted and not self.pid and now >= self.due:
            self.restarted()
            nothing = os.open(os.devnull, os.O_RDWR)
            self.pid, self.due = spawn(self.argv, self.env, {0: nothing, 1: self.lines.target, 2: self.lines.target}), now + PAUSE
            os.close(nothing)

    def end(self):
        """Have it end, for good."""
        self.wanted = False
        if self.pid:
            send_signal(self.pid, signal.SIGTERM)


class Host:
    """All services and helpers."""

    def __init__(self):
        self.services, self.helpers = {}, []

    def serve(self, name, argv, env, read, restarted=lambda: None):
        """Have a service."""
        self.services[name] = Service(argv, env, lambda line: read(name, line), restarted)

    def help(self, work, read, fds=()):
        """Start a helper; its process id."""
        self.helpers.append(Helper(work, read, dict(fds)))
        return self.helpers[-1].pid

    def look_after(self):
        """Whatever has ended is buried; whatever is to run runs."""
        for pid, _ in any_ended():
            for service in self.services.values():
                if service.pid == pid:
                    service.pid = 0
        now = time.monotonic()
        for service in self.services.values():
            service.look_after(now)
        for helper in self.helpers:
            helper.lines.hear()

    def helps(self, pid):
        """Whether a helper has still something to tell."""
        return any(helper.pid == pid and not helper.lines.over for helper in self.helpers)


def listeners(home, sessions):
    """{name: (command, port)}: qmail-tcpserver, and tcpserver if this machine has it, for qmail-smtpd."""
    found, chance = {}, random.Random()  # noqa: S311
    for name, program in (("qmail-tcpserver", home.at("bin/qmail-tcpserver")), ("tcpserver", shutil.which("tcpserver"))):
        if program:
            port = free_port(chance)
            found[name] = [program, "-RHl0", "-c", str(sessions + SPARE), "127.0.0.1", str(port), home.at("bin/qmail-smtpd")], port
    return found


def free_port(chance):
    """A port that nobody listens on.  Raises Unusable."""
    for port in chance.sample(PORTS, 100):
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unusable("no port is free")
