"""qmail-start: connect qmail-lspawn, qmail-rspawn, qmail-clean and a logger to qmail-send, and become it.  See qmail-start(8)."""

from __future__ import annotations

import os

from qmailpy.exits import TEMPORARY, Temporary, complain, during
from qmailpy.home import here
from qmailpy.settings.load import load
from qmailpy.unix.process import Identity, execute, pipe, place, reset_signals, spawn
from qmailpy.unix.signals import ALRM, HUP, ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home

DEFAULT_DELIVERY = "./Mailbox"
POOLS = {"servers": "poolservers", "queue": "poolqueue"}


class Starter:
    """Starts the daemons of one home."""

    def __init__(self, home: Home, env: MutableMapping[str, str]) -> None:
        self.home, self.env = home, env

    def identity(self, user: str, group: str = "qmail") -> Identity | None:
        """Who a daemon is to be; None: who we are."""
        return None if self.home.single else Identity(self.home.uid(user), self.home.gid(group))

    def daemon(self, name: str, user: str, *arguments: str) -> tuple[int, int]:
        """Start a daemon; where to write what it is to do, and where to read what it says."""
        orders, to = pipe()
        source, answers = pipe()
        identity = self.identity(user) if user != "root" else self.root()
        spawn([name, *arguments], self.env, {0: orders, 1: answers}, program=self.home.at("bin", name), identity=identity)
        os.close(orders)
        os.close(answers)
        return to, source

    def root(self) -> Identity | None:
        """qmail-lspawn stays root, in qmail's group."""
        return None if self.home.single else Identity(0, self.home.gid("qmail"))

    def logger(self, command: list[str]) -> int:
        """Start the logger; where to write lines to it."""
        source, target = pipe()
        spawn(command, self.env, {0: source, 1: 1}, identity=self.identity("qmaill", "nofiles"))
        os.close(source)
        return target

    def pools(self, log: int) -> None:
        """Start the resident pools that control/ does not switch off.  Mail flows without them, only slower: so nothing that is wrong here counts."""
        program = self.home.at("bin", "qmail-pool")
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for name, setting in POOLS.items():
            try:
                if load(self.home, (setting,)).number(setting) and os.path.exists(program):
                    spawn(["qmail-pool", "-p", str(os.getpid()), name], self.env, {0: nothing, 1: nothing, 2: log}, program=program, identity=self.root())
            except (OSError, Temporary) as problem:
                complain(f"qmail-start: warning: no pool of {name}: {problem}", log)
        os.close(nothing)

    def become_send(self, fds: list[int]) -> int:
        """Be qmail-send, under this process id.  `fds`: its descriptors 0 to 6."""
        place(dict(enumerate(fds)))
        reset_signals()
        ignore(ALRM, HUP)  # which qmail-send knows what to do with as soon as it is awake, and would die of before
        if identity := self.identity("qmails"):
            identity.assume()
        execute(["qmail-send"], self.env, self.home.at("bin", "qmail-send"))


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    os.umask(0o077)
    starter = Starter(home, env)
    with during("unable to start qmail"):
        os.chdir("/")
        log = starter.logger(argv[2:]) if len(argv) > 2 else 1
        local = starter.daemon("qmail-lspawn", "root", argv[1] if len(argv) > 1 else DEFAULT_DELIVERY)
        remote = starter.daemon("qmail-rspawn", "qmailr")
        clean = starter.daemon("qmail-clean", "qmailq")
        starter.pools(log)
        starter.become_send([log, *local, *remote, *clean])
    return TEMPORARY
