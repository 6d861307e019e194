"""qmail-rspawn: run qmail-remote for each order.  See qmail-rspawn(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK
from qmailpy.home import here
from qmailpy.settings.load import load
from qmailpy.spawn import report
from qmailpy.spawn.crew import LONGEST, Kind
from qmailpy.spawn.daemon import Spawner
from qmailpy.spawn.warm import Warm, settle
from qmailpy.unix.process import UNRUNNABLE, fork_working, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from qmailpy.home import Home
    from qmailpy.spawn.daemon import Delivery
    from qmailpy.unix.resident import Work

REMOTE, EXTRA = "qmail-remote", "qmail-remote.extra"
TCPTO_SIZE = 1024
# What qmail-remote imports when it comes to need it: always, or with TLS only, which takes twice as much memory.
ALWAYS = ("qmailpy.unix.resolver", "dns.exception", "dns.name", "dns.message", "dns.query", "dns.rdtypes.ANY.MX", "dns.rdtypes.ANY.CNAME", "dns.rdtypes.IN.A",
          "dns.rdtypes.IN.AAAA", "qmailpy.unix.spool", "qmailpy.remote.qmtp", "qmailpy.remote.sender", "qmailpy.text.batv")
FOR_TLS = ("qmailpy.unix.tls_client",)


def forget_dead_hosts(path: str) -> None:
    """Zero lock/tcpto: what timed out before the last start may be up again."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(fd, bytes(TCPTO_SIZE))
    except OSError:
        pass
    os.close(fd)


def chosen(home: Home, env: Mapping[str, str]) -> tuple[str, str]:
    """(the program to run, where it is looked for before PATH, if anywhere).  Raises Temporary."""
    if name := env.get("QMAILREMOTE"):
        return name, ""
    return (EXTRA, home.at("bin", EXTRA)) if load(home, ("extraremote",)).flag("extraremote") else (REMOTE, "")


def later(home: Home) -> tuple[str, ...]:
    """The modules to load beforehand."""
    return ALWAYS + (FOR_TLS if any(os.path.exists(home.at("control", name)) for name in ("tlsremote", "tlshosts")) else ())


class Sender:
    """Decides which child does a delivery: one that stays, if qmail-remote is ours, else the program, executed."""

    def __init__(self, home: Home, env: MutableMapping[str, str]) -> None:
        self.env, self.mess = env, home.at("queue", "mess")
        self.name, self.place = chosen(home, env)
        self.remote = Warm(home, REMOTE, later(home))
        self.kind = Kind(REMOTE, self.begin_remote, UNRUNNABLE)
        self.spawner = Spawner(home, self.begin, report.of_remote)

    def begin(self, delivery: Delivery) -> None:
        """Send a message.  Raises OSError."""
        order = delivery.order
        _, _, host = order.recipient.rpartition(b"@")
        words = [host, order.sender, order.recipient]
        data = b"\0".join(words)
        if self.name == REMOTE and self.spawner.stays and len(data) <= LONGEST and self.remote.program.is_found(REMOTE, self.env, self.mess):
            self.spawner.give(delivery, self.kind, data)
            return
        message, output = delivery.fds
        fds = {0: message, 1: output, 2: output}
        if self.name == REMOTE and self.remote.program.is_found(REMOTE, self.env, self.mess):
            self.spawner.once(delivery, fork_working(lambda: self.begin_remote()(data)[0], fds, UNRUNNABLE))
            return
        # What cannot be started defers mail (111); it never bounces it, and nothing else is run in the place of qmail-remote.extra.
        program = self.place if os.path.lexists(self.place) else None
        self.spawner.once(delivery, spawn([os.fsencode(self.name), *words], self.env, fds, program=program, cwd=self.mess, unrunnable=UNRUNNABLE))

    def begin_remote(self) -> Work:
        """In a child: be qmail-remote."""
        os.chdir(self.mess)
        self.remote.name_child()
        return lambda data: (self.remote.run([os.fsencode(REMOTE), *data.split(b"\0")], self.env), b"")


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    forget_dead_hosts(home.at("queue", "lock", "tcpto"))
    sender = Sender(home, env)
    settle()
    sender.spawner.run()
    return OK
