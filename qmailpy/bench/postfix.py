"""The Postfix that is installed here, as a second instance with settings, queue and log of its own (postconf(5), master(5))."""

from __future__ import annotations

import os
import pwd
import shutil
import time

from qmailpy.bench.client import HERE, send
from qmailpy.bench.dialogue import LOCAL, REMOTE, USER
from qmailpy.bench.measure import Failed
from qmailpy.bench.servers import NOBODY, PATH, Server, make_maildir, output_of, until
from qmailpy.unix.net import free_port

DAY = 86400
ENV = {"PATH": PATH}
QUEUES = ("maildrop", "incoming", "active", "deferred")
WAITING = "waiting.example"  # nobody listens there, so its mail is deferred
CLOSED = 1  # a port on which nobody listens

# What stands in a usual installation, without chroot: nothing is set up in the queue folder but the queue.
SERVICES = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
retry unix - - n - - error
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# Everything else is as Postfix has it by default.
SETTINGS = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = {host}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = {here}
inet_protocols = ipv4
virtual_mailbox_domains = {host}
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:{user}/Maildir/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
relay_domains = {remote}, {waiting}
transport_maps = inline:{{ {remote}=smtp:[{here}]:{sink}, {waiting}=smtp:[{here}]:{closed} }}
"""


class Postfix(Server):
    """One more instance.  `sink`: the port on 127.0.0.1 that mail for other hosts goes to.  Raises Failed if there is no Postfix, or we may not start it."""

    def __init__(self, sink: int) -> None:
        if not shutil.which("postfix", path=PATH):
            raise Failed("not installed")
        if os.geteuid():
            raise Failed("only root can start it")
        super().__init__("Postfix " + output_of(["postconf", "-d", "-h", "mail_version"], ENV).strip())
        self.sink = sink
        self._folder = ""
        self._started = False

    def start(self, folder: str, waiting: int) -> None:
        self._folder, port = folder, free_port(HERE)
        self.maildir = make_maildir(f"{folder}/{USER}", NOBODY, NOBODY)
        for name in ("etc", "queue", "data"):
            os.mkdir(f"{folder}/{name}")
        os.chown(f"{folder}/data", pwd.getpwnam(output_of(["postconf", "-h", "mail_owner"], ENV).strip()).pw_uid, 0)
        with open(f"{folder}/etc/master.cf", "x", encoding="ascii") as out:
            out.write(SERVICES.format(port=f"{HERE}:{port}"))
        with open(f"{folder}/etc/main.cf", "x", encoding="ascii") as out:
            out.write(SETTINGS.format(folder=folder, host=LOCAL, here=HERE, user=USER, uid=NOBODY, remote=REMOTE, sink=self.sink,
                                      waiting=WAITING, closed=CLOSED))
        self._started = True
        output_of(["postfix", "-c", f"{folder}/etc", "start"], ENV)
        self.ports = {"": port}
        if waiting:
            self._fill(port, waiting)

    def _fill(self, port: int, count: int) -> None:
        """Have one message deferred, put off its next try for a day, and multiply it.  The number of a queue file is in its name, in hexadecimal."""
        send(port, f"{USER}@{WAITING}")
        deferred = f"{self._folder}/queue/deferred"
        until(lambda: files(deferred) == 1 == self.queued(), f"{self.name}: a message is not deferred")
        first = next(os.path.join(place, names[0]) for place, _, names in os.walk(deferred) if names)
        found, tomorrow = os.stat(first), int(time.time()) + DAY
        os.utime(first, (tomorrow, tomorrow))
        for number in range(1, count):
            fresh = f"{deferred}/fresh"
            shutil.copyfile(first, fresh)
            os.chown(fresh, found.st_uid, found.st_gid)
            os.chmod(fresh, found.st_mode & 0o777)
            os.utime(fresh, (tomorrow, tomorrow))
            name = f"{number % 1_000_000:05X}{os.stat(fresh).st_ino:X}"
            os.makedirs(f"{deferred}/{name[0]}", 0o700, exist_ok=True)
            os.rename(fresh, f"{deferred}/{name[0]}/{name}")

    def stop(self) -> None:
        if self._started:
            self._started = False
            output_of(["postfix", "-c", f"{self._folder}/etc", "stop"], ENV)
            self.ports = {}

    def queued(self) -> int:
        return sum(files(f"{self._folder}/queue/{name}") for name in QUEUES)


def files(folder: str) -> int:
    """The files below a folder."""
    return sum(len(names) for _, _, names in os.walk(folder))
