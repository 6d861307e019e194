"""qmail-lspawn: run qmail-local for each order, as the user that the address belongs to.  See qmail-lspawn(8).

It is root, and the only thing it does with an address is to look up whose it is; the child has become
that user before qmail-local is executed, or its main called where bin/qmail-local is ours (spawn/warm.py).
"""

from __future__ import annotations

import os

from qmailpy.exits import OK, Temporary, Usage
from qmailpy.home import here
from qmailpy.spawn import report
from qmailpy.spawn.daemon import Spawner
from qmailpy.spawn.warm import Warm, settle
from qmailpy.text import assign
from qmailpy.unix import accounts
from qmailpy.unix.fds import close_quietly, read_all
from qmailpy.unix.process import Identity, execute, fork_working, pipe, spawn, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from qmailpy.home import Home
    from qmailpy.spawn.orders import Order

LATER = ("qmailpy.settings.alone",)  # what qmail-local imports for a program in a .qmail file


class Stop(Exception):
    """The child ends with this exit code, which the report explains."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Programs:
    """The programs that children become, loaded if they are ours."""

    __slots__ = ("local", "getpw")

    def __init__(self, home: Home) -> None:
        self.local, self.getpw = Warm(home, "qmail-local", LATER), Warm(home, "qmail-getpw")
        if os.path.exists(home.at("users", "cdb")):
            import cdblib  # noqa: F401 (now, and not in each child)


class Child:
    """What the child of one delivery does."""

    def __init__(self, home: Home, env: MutableMapping[str, str], programs: Programs, default_delivery: str, order: Order) -> None:
        self.home, self.env, self.programs, self.default_delivery, self.order = home, env, programs, default_delivery, order
        self.local, _, self.host = order.recipient.rpartition(b"@")

    def work(self) -> int:
        """Become the recipient and qmail-local; the exit code if that cannot be."""
        if not self.local:
            return OK  # <@host> is nobody
        try:
            os.chdir(self.home.path)
            account, listed = self.find()
            ours = self.programs.local.stands
            if ours:
                self.programs.local.name_child()
            self.become(account, listed)
        except Stop as stop:
            return stop.code
        except OSError:
            return report.USAGE
        argv = [b"bin/qmail-local", b"--", account.user, account.home, self.local, account.dash, account.ext, self.host, self.order.sender,
                os.fsencode(self.default_delivery)]
        if ours:
            return self.programs.local.run(argv, self.env)
        try:
            execute(argv, self.env, self.programs.local.program.path)
        except OSError:
            return report.UNRUNNABLE

    def find(self) -> tuple[assign.Account, bool]:
        """Whose the address is, and whether users/cdb says so.  Raises Stop."""
        fields = self.listed()
        listed = fields is not None
        account = assign.account(fields if fields is not None else self.asked())
        if account is None:
            raise Stop(report.USAGE)
        return account, listed

    def listed(self) -> bytes | None:
        """What users/cdb says; None if nothing."""
        try:
            return accounts.listed(self.home, self.local)
        except Temporary:
            raise Stop(report.CDB) from None

    def asked(self) -> bytes:
        """What qmail-getpw says."""
        try:
            source, target = pipe()
            pid = self.ask({0: 0, 1: target, 2: 2}, None if self.home.single else Identity(self.home.uid("qmailp"), self.home.gid("nofiles")))
            os.close(target)
            answer = read_all(source, 65536)
            close_quietly(source)
            code = wait(pid)
        except OSError:
            raise Stop(report.SYSTEM) from None
        if code:
            raise Stop(report.SYSTEM if code < 0 else code)
        return answer

    def ask(self, fds: Mapping[int, int], identity: Identity | None) -> int:
        """Run qmail-getpw; its pid.  Raises OSError."""
        argv, getpw = [b"bin/qmail-getpw", self.local], self.programs.getpw
        if not getpw.stands:
            return spawn(argv, self.env, fds, program=getpw.program.path, identity=identity, unrunnable=report.NO_GETPW)

        def work() -> int:
            getpw.name_child()
            if identity is not None:
                identity.assume()
            return getpw.run(argv, self.env)

        return fork_working(work, fds, report.NO_GETPW)

    def become(self, account: assign.Account, listed: bool) -> None:
        """Be the recipient.  Raises Stop, OSError."""
        if self.home.single and (os.geteuid() or not listed):
            return  # everything is the one user's already; and only root could be somebody else
        if not account.uid:
            raise Stop(report.ROOT)
        Identity(account.uid, account.gid).assume()


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) < 2:
        raise Usage("qmail-lspawn defaultdelivery")
    home = here()
    programs = Programs(home)
    settle()

    def begin(order: Order, message: int, output: int) -> int:
        child = Child(home, env, programs, argv[1], order)
        return fork_working(child.work, {0: message, 1: output, 2: output}, report.SYSTEM)

    Spawner(home, begin, report.of_local, report.LOCAL_LIMIT, report.TOO_LONG).run()
    return OK
