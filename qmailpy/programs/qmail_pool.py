"""qmail-pool: keep processes that are warm, and do the work of qmail-smtpd, qmail-qmtpd, qmail-qmqpd or qmail-queue.  See qmail-pool(8)."""

from __future__ import annotations

import os
import pwd

from qmailpy.exits import OK, PERMANENT, Permanent, Temporary, Usage, complain, during
from qmailpy.home import here
from qmailpy.pool.keeper import KEEPER_FD, LOCK_FD, LOG_FD, Keeper
from qmailpy.pool.kind import KINDS, LOCK, QUEUE, RUN
from qmailpy.settings.load import load
from qmailpy.text.options import Options
from qmailpy.unix.files import lock
from qmailpy.unix.process import Identity, allow_descriptors, watch
from qmailpy.unix.signals import Late, deadline, too_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home
    from qmailpy.pool.kind import Kind

USAGE = "qmail-pool [ -p pid ] servers [ user ] | qmail-pool [ -p pid ] queue"
DESCRIPTORS = 512
HANDOVER = 2.0  # seconds


class Arguments:
    """The command line.  Raises Usage.

    parent  the process with which the pool ends; None: none
    inner   this is the supervisor that a qmail-pool has started
    """

    def __init__(self, argv: list[str]) -> None:
        self.parent: int | None = None
        self.inner = False
        options = Options(argv, "p:s")
        for letter, value in options:
            if letter == "s":
                self.inner = True
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
    """Make a folder, unless it is there.  Raises OSError."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        os.chown(path, owner.uid, owner.gid)
    os.chmod(path, mode)


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
    return Keeper(kind.name, [home.at("bin", "qmail-pool"), "-s", kind.name], env, held, parent).run()


def supervise(home: Home, kind: Kind) -> int:
    """Be the supervisor."""
    from qmailpy.pool.supervisor import Supervisor
    from qmailpy.pool.warm import warm

    values = load(home, (kind.setting, "poolparking"))
    with during("unable to begin"):
        allow_descriptors(DESCRIPTORS)
        warm(home, kind)
        size, parking = max(values.number(kind.setting), 1), values.number("poolparking") / 1000
        return Supervisor(kind, kind.folder(home, os.geteuid()), size, LOCK_FD, KEEPER_FD, LOG_FD, parking).run()


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    arguments = Arguments(argv)
    home = here()
    os.umask(0o077)
    return supervise(home, arguments.kind) if arguments.inner else keep(home, arguments, env)
