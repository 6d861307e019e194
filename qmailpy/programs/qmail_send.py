"""qmail-send: deliver the messages of the queue.  See qmail-send(8); INTERNALS has its descriptors.

    0 log    1, 2 qmail-lspawn    3, 4 qmail-rspawn    5, 6 qmail-clean
"""

from __future__ import annotations

import os

from qmailpy.exits import OK, TEMPORARY, Temporary
from qmailpy.home import here
from qmailpy.queue.boot import Boot
from qmailpy.queue.paths import Paths
from qmailpy.send.channel import Channel
from qmailpy.send.clean import Cleaner
from qmailpy.send.daemon import Daemon
from qmailpy.send.files import Files
from qmailpy.send.log import Log
from qmailpy.send.settings import Settings
from qmailpy.text.route import CHANNELS
from qmailpy.unix.files import lock
from qmailpy.unix.signals import ALRM, HUP, TERM, Wakeup, shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home


class CannotStart(Exception):
    """The text says why."""


def prepare(home: Home, env: MutableMapping[str, str], log: Log) -> Daemon:
    """Everything that must be there before the first delivery.  Raises CannotStart."""
    if not os.path.isdir(home.path):
        raise CannotStart("unable to switch to home directory")
    try:
        settings = Settings(home)
    except Temporary:
        raise CannotStart("unable to read controls") from None
    if not os.path.isdir(home.at("queue")):
        raise CannotStart("unable to switch to queue directory")
    files = Files(Paths(home.at("queue"), home.split, home.big_todo))
    hold_mutex(files.paths.lock("sendmutex"))
    channels = (Channel(CHANNELS[0], 1, 2, home.spawn), Channel(CHANNELS[1], 3, 4, home.spawn))
    for channel, wanted in zip(channels, settings.concurrency, strict=True):
        if not channel.hello(wanted):
            raise CannotStart("hath the daemon spawn no fire?")
    return Daemon(home, env, files, settings, channels, Cleaner(5, 6, log), Boot(files.paths.lock("boot")), log)


def hold_mutex(path: str) -> None:
    """Be the only qmail-send of this queue, as long as this process lives.  Raises CannotStart."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        raise CannotStart("unable to open mutex") from None
    if not lock(fd, wait=False):
        raise CannotStart("qmail-send is already running")


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    os.umask(0o077)
    log = Log()
    with shielded():
        wakeup = Wakeup([TERM, ALRM, HUP])
        try:
            daemon = prepare(here(), env, log)
            daemon.load()
            daemon.run(wakeup)
        except CannotStart as problem:
            log("alert: cannot start: ", str(problem))
            return TEMPORARY
        finally:
            log.flush()
            wakeup.close()
    return OK
