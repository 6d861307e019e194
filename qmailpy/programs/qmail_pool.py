"""qmail-pool: keep processes that are warm, and do the work of qmail-smtpd, qmail-qmtpd, qmail-qmqpd or qmail-queue.  See qmail-pool(8)."""

from __future__ import annotations

import os
import pwd

from qmailpy.exits import OK, PERMANENT, Permanent, Temporary, Usage, complain, during
from qmailpy.home import here
from qmailpy.pool.keeper import KEEPER_FD, LOCK_FD, LOG_FD, Keeper
from qmailpy.pool.kind import KINDS, LOCK, QUEUE, RUN, SOCKET
from qmailpy.settings.load import load
from qmailpy.text.options import Options
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.files import lock
from qmailpy.unix.handover import Door
from qmailpy.unix.orphan import Orphaned, while_read
from qmailpy.unix.process import Identity, allow_descriptors, spawn, watch
from qmailpy.unix.signals import Late, deadline, too_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from qmailpy.home import Home
    from qmailpy.pool.kind import Kind

USAGE = "qmail-pool [ -p pid ] servers [ user ] | qmail-pool [ -p pid ] queue"
DESCRIPTORS = 512
HANDOVER = 2.0  # seconds


class Arguments:
    """The command line.  Raises Usage.

    parent  the process with which the pool ends; None: none
    inner   this is the supervisor that a qmail-pool has started
    early   it lets callers wait until it is ready: there is no other whom they could ask
    """

    def __init__(self, argv: list[str]) -> None:
        self.parent: int | None = None
        self.inner = self.early = False
        options = Options(argv, "p:se")
        for letter, value in options:
            if letter == "s":
                self.inner = True
            elif letter == "e":
                self.early = True
            elif letter == "p" and value.isascii() and value.isdigit():
                self.parent = int(value)
            else:
                raise Usage(USAGE)
        name, *user = options.rest or [""]
        if name not in KINDS or len(user) > (0 if name == QUEUE.name else 1):
            raise Usage(USAGE)
        self.kind = KINDS[name]
        self.user = user[0] if user else ""


def identity(home: Home, kind: Kind, user: str) -> Identity:
    """Whom a pool is to run as.  Raises Permanent."""
    if home.single or os.geteuid():
        if user and pwd.getpwuid(os.geteuid()).pw_name != user:
            raise Permanent(f"only root can start a pool for {user}")
        return Identity(os.geteuid(), os.getegid())
    if kind is QUEUE:
        return Identity(home.uid("qmailq"), home.gid("qmail"))
    if not user:
        return Identity(home.uid("qmaild"), home.gid("nofiles"))
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise Permanent(f"no such user: {user}") from None
    if not found.pw_uid:
        raise Permanent("there are no pools for root")
    return Identity(found.pw_uid, found.pw_gid)


def make_folder(path: str, mode: int, owner: Identity) -> None:
    """Make a folder, unless it is there and somebody's: what a killed qmail-pool has left as root's is completed.  Raises OSError."""
    root = os.geteuid() == 0
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not root or owner.uid == 0 or os.lstat(path).st_uid:
            return
    os.chmod(path, mode)  # while it is still root's: a unit has no right to the folders of others
    if root:
        os.chown(path, owner.uid, owner.gid)


def prepare(home: Home, kind: Kind, owner: Identity) -> str:
    """The pool's folder, and this process its owner.  Raises Temporary."""
    folder = kind.folder(home, owner.uid)
    with during(f"unable to prepare {folder}"):
        mine = Identity(os.geteuid(), home.gid("qmail"))
        make_folder(home.at(RUN), 0o755, mine)
        if not kind.everybody:
            make_folder(os.path.dirname(folder), 0o755, mine)
        make_folder(folder, kind.mode, owner)
        owner.assume()
        if os.lstat(folder).st_uid != owner.uid:
            raise Temporary(f"{folder} belongs to somebody else")
    return folder


def locked(held: int) -> bool:
    """Take the lock; a pool that is about to end, since qmail-send is started again, has a moment to let go of it."""
    try:
        with deadline(HANDOVER, too_late):
            return lock(held, wait=True)
    except Late:
        return False


def keep(home: Home, arguments: Arguments, env: MutableMapping[str, str]) -> int:
    """Be the keeper."""
    kind = arguments.kind
    if not load(home, (kind.setting,)).number(kind.setting):
        complain(f"qmail-pool: {kind.name}: switched off by control/{kind.setting}")
        return OK
    parent = None
    if arguments.parent is not None and (parent := watch(arguments.parent)) is None:
        return OK
    folder = prepare(home, kind, identity(home, kind, arguments.user))
    with during(f"unable to lock {folder}/{LOCK}"):
        held = os.open(f"{folder}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not locked(held):
            if parent is None:
                complain(f"qmail-pool: {kind.name}: another one is running")
            return PERMANENT  # where qmail-start starts it, that is as it should be: the other one has been started by somebody's wish
    os.chdir("/")
    told = [] if arguments.parent is None else ["-p", str(arguments.parent)]
    return Keeper(kind.name, [home.at("bin", "qmail-pool"), "-s", *told, kind.name], env, held, parent).run()


def supervise(home: Home, arguments: Arguments, env: Mapping[str, str]) -> int:
    """Be the supervisor."""
    from qmailpy.pool.supervisor import Supervisor
    from qmailpy.pool.warm import warm

    def revive(log: int) -> None:
        if arguments.parent is not None:  # else whoever has started the pool sees that it has gone
            nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            words = ["-p", str(arguments.parent), kind.name]
            spawn(["qmail-pool", *words], env, {0: nothing, 1: nothing, 2: log}, program=home.at("bin", "qmail-pool"))
            os.close(nothing)

    kind, door = arguments.kind, None
    path = f"{kind.folder(home, os.geteuid())}/{SOCKET}"
    values = load(home, (kind.setting, "poolparking"))
    size, parking = max(values.number(kind.setting), 1), values.number("poolparking") / 1000
    with during("unable to begin"):
        try:
            with while_read(KEEPER_FD):
                allow_descriptors(DESCRIPTORS)
                if arguments.early:
                    door = Door(path, kind.socket_mode)
                warm(home, kind)
        except Orphaned:
            if door is not None:
                door.remove()
            close_quietly(LOCK_FD)
            revive(LOG_FD)
            return OK
        return Supervisor(kind, size, door or Door(path, kind.socket_mode), LOCK_FD, KEEPER_FD, LOG_FD, revive, parking).run()


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    arguments = Arguments(argv)
    home = here()
    os.umask(0o077)
    return supervise(home, arguments, env) if arguments.inner else keep(home, arguments, env)
