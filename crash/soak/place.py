"""The home's files: settings, mailboxes, queue."""

import os
import shutil

from crash.soak.letters import BOXES, CONCURRENCY, FAR, HERE
from qmailpy.queue.paths import Paths
from qmailpy.unix.files import lock, pull_trigger

PARTS = ("mess", "info", "local", "remote", "intd", "todo", "bounce", "pid")
NOBODY = 65534  # root gets no mail
OLD = 37 * 3600  # seconds: older than what qmail-clean leaves alone
LATE = """|(set -C; : > {tried}/$LOCAL) 2>/dev/null && exit 111 || exit 0
{box}/
"""


class Unusable(Exception):
    """It cannot be begun.  The text says why."""


class Place:
    """The files of the home, all that was there before removed.  Raises Unusable for a home that is somebody's."""

    def __init__(self, home):
        self.home, self.own = home, home.at("soak")
        self.paths = Paths(home.at("queue"), home.split)
        me = home.at("control/me")
        if os.path.exists(me) and open(me).read() != f"{HERE}\n":
            raise Unusable(f"{home.path} has mail of its own: {me} is not {HERE}")
        if not home.single:
            raise Unusable(f"{home.path} is not a home of one user")
        held = os.open(home.at("queue/lock/sendmutex"), os.O_RDWR)
        if not lock(held, wait=False):
            raise Unusable(f"{home.path} has a qmail-send that runs")
        os.close(held)

    def prepare(self, sink, workers):
        """Settings, mailboxes, an empty queue."""
        for folder in ("control", "users", "soak"):
            shutil.rmtree(self.home.at(folder), ignore_errors=True)
            os.mkdir(self.home.at(folder), 0o755)
        for name in self.queued():
            os.unlink(self.home.at("queue", name))
        for name, text in {"me": HERE, "locals": HERE, "rcpthosts": f"{HERE}\n{FAR}", "smtproutes": f":127.0.0.1:{sink}", "poolservers": f"{workers}",
                           "poolqueue": f"{max(workers // 4, 20)}", **{f"concurrency{channel}": f"{most}" for channel, most in CONCURRENCY.items()}}.items():
            self.write(f"control/{name}", text + "\n")
        os.mkdir(f"{self.own}/tried")
        for word in self.boxes():
            for part in ("new", "cur", "tmp"):
                os.makedirs(f"{self.own}/{word}/{part}")
            text = LATE if word.startswith("late") else "{box}/\n"
            self.write(f"soak/.qmail-{word}-default", text.format(tried=f"{self.own}/tried", box=f"{self.own}/{word}"))
        uid, gid = os.getuid() or NOBODY, os.getgid() or NOBODY
        for folder, _, _ in os.walk(self.own):
            os.chown(folder, uid, gid)
        who = f"soak:{uid}:{gid}:{self.own}:-"
        self.write("users/assign", f"+box:{who}:box:\n+late:{who}:late:\n.\n")

    def boxes(self):
        """The names of all mailboxes here."""
        return [f"{kind}{number}" for kind in ("box", "late") for number in range(BOXES)]

    def write(self, name, text):
        """Write a file of the home."""
        with open(self.home.at(name), "w") as out:
            out.write(text)

    def queued(self):
        """The files that messages have in the queue: names below it."""
        queue = self.home.at("queue")
        return [os.path.relpath(os.path.join(place, name), queue) for part in PARTS for place, _, names in os.walk(f"{queue}/{part}") for name in names]

    def accepted(self):
        """How many messages of the queue have an envelope; the others are what killed programs have left there."""
        return len({os.path.basename(name) for name in self.queued() if name.startswith(("todo/", "info/"))})

    def age(self):
        """Let the time pass after which nobody is at work any more on what has no envelope."""
        for name in self.queued():
            path = self.home.at("queue", name)
            found = os.stat(path)
            os.utime(path, (found.st_atime - OLD, found.st_mtime))

    def pull(self):
        """Have qmail-send look for new mail, as the next message would: whoever was killed between todo and trigger has not."""
        pull_trigger(self.paths.lock("trigger"))

    def letters(self, judge):
        """What the mailboxes have: (word, what was found) of each file."""
        for word in self.boxes():
            for name in os.listdir(f"{self.own}/{word}/new"):
                with open(f"{self.own}/{word}/new/{name}", "rb") as data:
                    yield judge(word, data.read())
