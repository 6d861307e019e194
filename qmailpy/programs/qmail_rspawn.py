"""qmail-rspawn: run qmail-remote for each order.  See qmail-rspawn(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK
from qmailpy.home import here
from qmailpy.settings.load import load
from qmailpy.spawn import report
from qmailpy.spawn.daemon import Spawner
from qmailpy.spawn.warm import Warm, settle
from qmailpy.unix.process import UNRUNNABLE, fork_working, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from qmailpy.home import Home
    from qmailpy.spawn.orders import Order

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


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    forget_dead_hosts(home.at("queue", "lock", "tcpto"))
    name, place = chosen(home, env)
    remote = Warm(home, REMOTE, later(home))
    settle()
    mess = home.at("queue", "mess")

    def begin(order: Order, message: int, output: int) -> int:
        _, _, host = order.recipient.rpartition(b"@")
        argv, fds = [os.fsencode(name), host, order.sender, order.recipient], {0: message, 1: output, 2: output}

        def work() -> int:
            os.chdir(mess)
            remote.name_child()
            return remote.run(argv, env)

        if name == REMOTE and remote.program.is_found(REMOTE, env, mess):
            return fork_working(work, fds, UNRUNNABLE)
        # What cannot be started defers mail (111); it never bounces it, and nothing else is run in the place of qmail-remote.extra.
        return spawn(argv, env, fds, program=place if os.path.lexists(place) else None, cwd=mess, unrunnable=UNRUNNABLE)

    Spawner(home, begin, report.of_remote).run()
    return OK
