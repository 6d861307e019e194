"""qmail-lspawn: run qmail-local for each order, as the user that the address belongs to.  See qmail-lspawn(8).

It is root, and the only thing it does with an address is to look up whose it is; a child has become
that user before qmail-local is executed, or its main called where bin/qmail-local is ours (spawn/warm.py).
Then the child stays that user, and may get the next message for him (spawn/crew.py).
"""

from __future__ import annotations

import os

from qmailpy.exits import OK, Temporary, Usage
from qmailpy.home import here
from qmailpy.spawn import report
from qmailpy.spawn.crew import LONGEST, Kind, Task
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
    from qmailpy.spawn.daemon import Delivery
    from qmailpy.spawn.orders import Order
    from qmailpy.unix.resident import Work

GETPW = "qmail-getpw"
PATIENCE = 0.02  # seconds: a name that the system's users are asked for in vain takes longer only if somebody does not answer

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
        self.local, self.getpw = Warm(home, "qmail-local", LATER), Warm(home, GETPW)


class Child:
    """What is done for one delivery."""

    def __init__(self, home: Home, env: MutableMapping[str, str], programs: Programs, default_delivery: str, order: Order) -> None:
        self.home, self.env, self.programs, self.default_delivery, self.order = home, env, programs, default_delivery, order
        self.local, _, self.host = order.recipient.rpartition(b"@")

    def work(self) -> int:
        """In a child that does nothing else: become the recipient and qmail-local; the exit code if that cannot be."""
        if not self.local:
            return OK  # <@host> is nobody
        try:
            os.chdir(self.home.path)
            account, listed = self.find()
            ours = self.programs.local.stands
            if ours:
                self.programs.local.name_child()
            if (identity := self.recipient(account, listed)) is not None:
                identity.assume()
        except Stop as stop:
            return stop.code
        except OSError:
            return report.USAGE
        argv = [b"bin/qmail-local", b"--", *self.words(account)]
        if ours:
            return self.programs.local.run(argv, self.env)
        try:
            execute(argv, self.env, self.programs.local.program.path)
        except OSError:
            return report.UNRUNNABLE

    def words(self, account: assign.Account) -> list[bytes]:
        """The arguments of qmail-local."""
        return [account.user, account.home, self.local, account.dash, account.ext, self.host, self.order.sender, os.fsencode(self.default_delivery)]

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
        except MemoryError:
            raise Stop(report.NO_MEMORY) from None

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

    def recipient(self, account: assign.Account, listed: bool) -> Identity | None:
        """Who the child is to be; None: who it is.  Raises Stop."""
        if self.home.single and (os.geteuid() or not listed):
            return None  # everything is the one user's already; and only root could be somebody else
        if not account.uid:
            raise Stop(report.ROOT)
        return Identity(account.uid, account.gid)


class Deliverer:
    """Decides which child does a delivery: one that stays, if what it would have to execute is ours, else one for this delivery alone."""

    def __init__(self, home: Home, env: MutableMapping[str, str], default_delivery: str) -> None:
        self.home, self.env, self.default_delivery = home, env, default_delivery
        self.programs = Programs(home)
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.getpw = Kind(GETPW, self.begin_getpw, report.NO_GETPW, {0: nothing, 1: nothing, 2: nothing}, PATIENCE)
        self.spawner = Spawner(home, self.begin, report.of_local, report.LOCAL_LIMIT, report.TOO_LONG)

    def begin(self, delivery: Delivery) -> None:
        """Find out whose the address is.  Raises OSError."""
        child = Child(self.home, self.env, self.programs, self.default_delivery, delivery.order)
        if not child.local or not self.spawner.stays:
            self.once(child, delivery)
            return
        try:
            fields = child.listed()
        except Stop as stop:
            self.spawner.end(delivery, stop.code)
            return
        if fields is not None:
            self.deliver(child, delivery, fields, listed=True)
        elif self.programs.getpw.stands and len(child.local) < LONGEST:
            self.spawner.crew.add(Task(self.getpw, child.local, (), lambda: None, lambda status, fields: self.told(child, delivery, status, fields)))
        else:
            self.once(child, delivery)

    def once(self, child: Child, delivery: Delivery) -> None:
        """A child for this delivery alone.  Raises OSError."""
        message, output = delivery.fds
        self.spawner.once(delivery, fork_working(child.work, {0: message, 1: output, 2: output}, report.SYSTEM))

    def told(self, child: Child, delivery: Delivery, status: int | None, fields: bytes) -> None:
        """qmail-getpw has said whose the address is."""
        if status:
            self.spawner.end(delivery, report.SYSTEM if status < 0 else status)
        elif status is None:
            self.spawner.end(delivery, None)
        else:
            self.deliver(child, delivery, fields, listed=False)

    def deliver(self, child: Child, delivery: Delivery, fields: bytes, *, listed: bool) -> None:
        """Have a child of the recipient deliver."""
        account = assign.account(fields)
        try:
            if account is None:
                raise Stop(report.USAGE)
            identity = child.recipient(account, listed)
        except Stop as stop:
            self.spawner.end(delivery, stop.code)
            return
        data = b"\0".join(child.words(account))
        if len(data) > LONGEST or not self.programs.local.stands:
            try:
                self.once(child, delivery)
            except OSError:
                self.spawner.end(delivery, None)
            return
        key = None if identity is None else (identity.uid, identity.gid)
        self.spawner.give(delivery, Kind(key, lambda: self.begin_local(identity), report.USAGE), data)

    def begin_local(self, identity: Identity | None) -> Work:
        """In a child: become a recipient, for good."""
        os.chdir(self.home.path)
        local = self.programs.local
        local.name_child()
        if identity is not None:
            identity.assume()
        return lambda data: (local.run([b"bin/qmail-local", b"--", *data.split(b"\0")], self.env), b"")

    def begin_getpw(self) -> Work:
        """In a child: become the user that looks up others."""
        self.programs.getpw.name_child()
        if not self.home.single:
            Identity(self.home.uid("qmailp"), self.home.gid("nofiles")).assume()
        return lambda local: accounts.answer(self.home, local)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) < 2:
        raise Usage("qmail-lspawn defaultdelivery")
    deliverer = Deliverer(here(), env, argv[1])
    settle()
    deliverer.spawner.run()
    return OK
