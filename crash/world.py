"""A small host for accidents: a home with a queue, mailboxes, and messages on their way, whose programs are children of this process.

What the programs execute is not a new interpreter but main of the program, in the same process: so that the host starts in
milliseconds, and so that each step of each process can be watched.
"""

import _signal
import contextlib
import ctypes
import os
import pathlib
import re
import signal
from time import monotonic, sleep  # as they are, not as accidents have them

import qmailpy.home
from crash.watch import Watch
from qmailpy.exits import OK, outcome
from qmailpy.install import hier
from qmailpy.local import maildir
from qmailpy.pool import kind
from qmailpy.pool.supervisor import Supervisor
from qmailpy.programs import qmail_clean, qmail_getpw, qmail_local, qmail_lspawn, qmail_queue, qmail_rspawn, qmail_send, qmail_start
from qmailpy.queue import workers
from qmailpy.queue.exitcodes import BUG
from qmailpy.queue.paths import Paths
from qmailpy.unix import ours
from qmailpy.unix.fds import write_all
from qmailpy.unix.handover import Door
from qmailpy.unix.process import IGNORED, fork_working, pipe, wait

POOL = "queue pool"  # what its workers do of qmail-queue
WATCHED = ("qmail-queue", POOL, "qmail-send", "qmail-clean", "qmail-lspawn", "qmail-local")
WORKERS = 2
KINDS = ("mess", "info", "local", "remote", "intd", "todo", "bounce", "pid")
PATIENCE = 15  # seconds for a queue to become empty
TICK = 0.002
REST = 0.1  # seconds without a line in the log
AGAIN = 0.1  # seconds between two ALRMs
DEATH_SIGNAL, SUBREAPER = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER
OLD = 37 * 3600  # seconds: older than what qmail-clean leaves alone
END = b"the last line\n"
BOUNCE = "bounce"


class Unusable(Exception):
    """Without any accident something is wrong: nothing can be told.  The text says what."""


class Mail:
    """A message: its name, its sender, and {recipient: mailbox that it must come to, or BOUNCE}."""

    def __init__(self, name, sender, **boxes):
        self.name, self.sender = name, sender
        self.boxes = {address(word): box for word, box in boxes.items()}

    @property
    def text(self):
        return b"Subject: %s\n\n%s%s" % (self.name.encode(), b"a line\n" * 20, END)

    @property
    def envelope(self):
        return b"F%s\0%s\0" % (self.sender, b"".join(b"T%s\0" % recipient for recipient in self.boxes))


def address(word):
    """r_far is somebody elsewhere, all others are here."""
    return word.encode().replace(b"_far", b"@far.example") if word.endswith("_far") else word.encode() + b"@here.example"


# What is on its way: to a mailbox and to another host; to a mailbox and to nobody, which bounces; to one who takes mail at the second try.
MAILS = (Mail("one", b"x@far.example", ann="ann", ben_far="far"),
         Mail("two", b"sue@here.example", bob="bob", nobody=BOUNCE),
         Mail("three", b"x@far.example", late="late", ann="ann"))
BOXES = ("ann", "bob", "late", "sue", "far")


class World:
    """The host below the folder `path`, which must be empty.  `pooled`: messages are handed to the queue's pool, and not to qmail-queue."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.home = qmailpy.home.Home(str(path))
        # One folder of each kind, so that a message's number does not say where its files are: see disk.renumbered.
        self.home.single, self.home.split, self.home.spawn = True, 1, 10
        self.paths = Paths(self.home.at("queue"), 1)
        for entry in hier.queue(self.home):
            make(self.path / entry.path, entry)
        for folder in ("control", "alias", "run/queue", *(f"boxes/{box}/{part}" for box in BOXES for part in ("new", "cur", "tmp"))):
            (self.path / folder).mkdir(parents=True)
        for name, text in {"me": "here.example", "locals": "here.example", "concurrencylocal": "1", "concurrencyremote": "1"}.items():
            (self.path / "control" / name).write_text(text + "\n")
        for box in BOXES:
            (self.path / "alias" / f".qmail-{box}").write_text(f"{self.path}/boxes/{box}/\n")
        self.install("qmail-local", "qmail-getpw")
        late = self.path / "alias/.qmail-late"
        late.write_text(f"|test -e {self.path}/ready || exit 111\n{late.read_text()}")
        self.watch = Watch(self.home.path, ("queue", "boxes"), WATCHED)
        self.daemons = self.called = self.pool = 0
        self.pooled = False

    def install(self, *names):
        """Have programs that are known to be ours, as setup leaves them: qmail-lspawn's children call them, and stay."""
        (self.path / "bin").mkdir()
        (self.path / ours.CURRENT).parent.mkdir(parents=True)
        (self.path / ours.CURRENT).symlink_to(ours.LOADED)
        found = {}
        for name in names:
            (self.path / "bin" / name).touch()
            (self.path / "bin" / name).chmod(0o755)
            found[name.encode()] = ours.fingerprint((self.path / "bin" / name).stat())
        (self.path / ours.RECORD).write_bytes(ours.record(found))

    # the programs

    def prepare(self):
        """Make this process the one that all programs are children of, down to the last.  Once, and for good."""
        self.library = ctypes.CDLL(None)
        self.library.prctl(SUBREAPER, 1, 0, 0, 0)
        # A checkout says by its conf-* files what its home is; here it is this one.
        qmailpy.home.of_checkout = lambda top: self.home
        self.watch.install()
        self.mains = {"qmail-queue": qmail_queue.main, "qmail-send": qmail_send.main, "qmail-clean": qmail_clean.main, "qmail-lspawn": qmail_lspawn.main,
                      "qmail-rspawn": qmail_rspawn.main, "qmail-local": qmail_local.main, "qmail-getpw": qmail_getpw.main, "qmail-remote": self.remote}
        self.os_execve, os.execve = os.execve, self.execve
        qmail_local.main = self.local
        self.serve, qmail_queue.serve = qmail_queue.serve, self.queue

    def execve(self, path, argv, env):
        """What a program executes: one of ours is called, in this process."""
        folder, name = os.path.split(os.path.abspath(os.fsdecode(path)))
        if folder == self.home.at("bin"):
            self.become(name, [os.fsdecode(word) for word in argv], env)
        self.os_execve(path, argv, env)

    def become(self, name, argv, env):
        """Be a program, as it is when it has just been executed."""
        self.watch.program = name
        _signal.set_wakeup_fd(-1)
        for number in IGNORED:
            _signal.signal(number, _signal.SIG_IGN)
        os._exit(outcome(self.mains[name], argv, dict(env)))

    def local(self, argv, env, home):
        """In the place of qmail-local's main, in a child that stays: what it does is qmail-local's, and before it answers is an operation, too."""
        with self.being("qmail-local"):
            return self.mains["qmail-local"](argv, env, home)

    def queue(self, pid, uid, env):
        """In the place of qmail-queue's work: in a worker of the pool it is the pool's, and before the answer is an operation, too."""
        if self.watch.program is not None:
            return self.serve(pid, uid, env)
        with self.being(POOL):
            return self.serve(pid, uid, env)

    @contextlib.contextmanager
    def being(self, program):
        """Within the block a process that stays does that program's work; the end of it is an operation, too."""
        before, self.watch.program = self.watch.program, program
        try:
            yield
        finally:
            self.watch.step("exit")
            self.watch.program = before

    def remote(self, argv, env):
        """In the place of qmail-remote: the other host is a mailbox of this one."""
        maildir.deliver(os.fsencode(self.path / "boxes/far"), b"", 0)
        write_all(1, b"r\0Ktaken\0")
        return OK

    def child(self, work, **files):
        """Start a process that does `work`; files: descriptor 0, 1, 2 as fd0, fd1, fd2."""
        opened = {int(word[2:]): os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644) for word, path in files.items()}
        try:
            return fork_working(work, opened)
        finally:
            for fd in opened.values():
                os.close(fd)

    def start(self):
        """Start the daemons."""
        log, argv, env = self.path / "log", ["qmail-start", "./Mailbox"], {"PATH": f"{self.home.path}/bin:/usr/bin:/bin"}
        log.write_bytes(b"")

        def begin():
            self.library.prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # qmail-send must not outlive this process; without it the others end
            return outcome(qmail_start.main, argv, env)

        self.daemons = self.child(begin, fd0="/dev/null", fd1=log, fd2=log)
        if self.pooled:
            self.pool = self.child(self.be_pool, fd0="/dev/null", fd1="/dev/null", fd2=log)
        self.wait_for(lambda: (self.started() and (not self.pooled or self.socket.exists())) or not self.alive())

    @property
    def socket(self):
        """Where the queue's pool is asked."""
        return self.path / "run/queue" / kind.SOCKET

    def be_pool(self):
        """The supervisor of the queue's pool.  Its keeper, which would be a program of its own, is a pipe that nobody closes."""
        self.library.prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        _, keeper = pipe()
        return Supervisor(kind.QUEUE, WORKERS, Door(str(self.socket), kind.QUEUE.socket_mode), os.open(os.devnull, os.O_RDWR), keeper, 2, str).run()

    def started(self):
        """Whether qmail-send has come so far that it takes mail."""
        return b"status: local 0/" in (self.path / "log").read_bytes()

    def stop(self):
        """End them; False if they did not end in time, and had to be killed."""
        for pid in filter(None, (self.daemons, self.pool)):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass  # it was the one that died
        self.daemons = self.pool = 0
        if self.wait_for(no_children):
            return True
        for pid in pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        self.wait_for(no_children)
        return False

    def inject(self, mail):
        """Hand a message to qmail-queue, or to the pool; its exit code, or minus the signal."""
        message, envelope = self.path / "message", self.path / "envelope"
        message.write_bytes(mail.text)
        envelope.write_bytes(mail.envelope)
        work = self.hand_over if self.pooled else lambda: self.become("qmail-queue", ["qmail-queue"], {})
        return wait(self.child(work, fd0=message, fd1=envelope, fd2=self.path / "log"))

    def hand_over(self):
        """What a server does: have the pool store what descriptors 0 and 1 give; the exit code."""
        found = workers.taken(self.home, {}, 0, 1)
        return BUG if found is None else found.wait()

    def wait_for(self, condition):
        """Wait for something that nobody announces; False if it does not come."""
        end = monotonic() + PATIENCE
        while not condition():
            if monotonic() > end:
                return False
            sleep(TICK)
        return True

    def work(self, left=None):
        """Let the daemons go on until nothing is left in the queue, or of what `left` finds, or the accident has happened; False if neither comes."""
        return self.wait_for(lambda: self.tick() or self.watch.struck or not (left or self.queued)())

    def finish(self, left):
        """Let them go on until `left` finds nothing any more, whatever has happened; False if that does not come, or they end."""
        return self.wait_for(lambda: self.tick() or not self.alive() or not left()) and self.alive()

    def alive(self):
        """Whether qmail-send has not ended."""
        return os.waitid(os.P_PID, self.daemons, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def rest(self):
        """Wait until the daemons do nothing but wait."""
        size, seen = -1, 0
        while size != seen:
            seen = size
            sleep(REST)
            size = (self.path / "log").stat().st_size

    def tick(self):
        """Who takes no mail at first will, once he was tried; and nothing is waited for that could be tried again now."""
        if b"deferral" in (self.path / "log").read_bytes() or self.watch.struck:
            (self.path / "ready").touch()
        if monotonic() > self.called + AGAIN and (self.path / "ready").exists():
            self.called = monotonic()
            self.signal(signal.SIGALRM)

    def signal(self, number):
        """Send a signal to qmail-send."""
        try:
            os.kill(self.daemons, number)
        except ProcessLookupError:
            pass

    # the files

    def files(self, *folders):
        """The names of all files below some folders."""
        return [os.path.join(place, name)[len(self.home.path) + 1:] for folder in folders for place, _, names in os.walk(self.path / folder) for name in names]

    def queued(self):
        """The names of all files that messages have in the queue."""
        return self.files(*(f"queue/{kind}" for kind in KINDS))

    def under_way(self):
        """The same, without those that have no envelope: they are leftovers, for which time must pass."""
        accepted = {os.path.basename(name) for name in self.files("queue/todo", "queue/info")}
        return [name for name in self.queued() if os.path.basename(name) in accepted]

    def clear(self):
        """As new."""
        for name in [*self.queued(), *self.files("boxes"), "ready", "log"]:
            (self.path / name).unlink(missing_ok=True)
        self.booted()

    def booted(self, boot=""):
        """Have qmail-send find that it was at work in another run of the kernel."""
        (self.path / "queue/lock/boot").write_text(boot)

    def age(self):
        """Let the time pass after which nobody is at work any more on what has no envelope."""
        for name in self.files("queue/mess", "queue/pid"):
            found = (self.path / name).stat()
            os.utime(self.path / name, (found.st_atime - OLD, found.st_mtime))

    def copies(self):
        """({(message, mailbox): how many whole copies it has}, the names of those that are not whole)."""
        whole, torn = {}, []
        for name in self.files(*(f"boxes/{box}/new" for box in BOXES)):
            found = identify((self.path / name).read_bytes())
            if found is None:
                torn.append(name)
            else:
                key = found, name.split("/")[1]
                whole[key] = whole.get(key, 0) + 1
        return whole, torn

    def settled(self):
        """{(message, mailbox)}: what qmail-send has noted as delivered, whatever the order of its steps."""
        numbers = {identify((self.path / name).read_bytes()): int(os.path.basename(name)) for name in self.files("queue/mess")}
        found, noted = set(), self.noted()
        for mail in MAILS:
            if numbers.get(mail.name, 0) in noted:
                found.update((mail.name, box) for box in mail.boxes.values())
                continue
            open_ones = self.open_recipients(numbers[mail.name])
            found.update((mail.name, box) for recipient, box in mail.boxes.items() if open_ones is not None and recipient not in open_ones)
        if numbers.get(BOUNCE, 0) in noted and MAILS[1].name not in numbers:
            found.add((BOUNCE, "sue"))
        return found

    def noted(self):
        """The numbers of messages that are done, as lock/boot says, and 0 for those that are not there any more."""
        _, *lines = (self.path / "queue/lock/boot").read_text().split("\n")
        return {0, *(int(line.split()[0]) for line in lines if line.split())}

    def open_recipients(self, number):
        """The recipients that a message still has; None if it was not even preprocessed."""
        names = [self.paths.local(number), self.paths.remote(number)]
        whole = os.path.exists(self.paths.info(number)) and not os.path.exists(self.paths.todo(number))
        if not whole and not any(map(os.path.exists, names)):
            return None
        records = [record for name in names if os.path.exists(name) for record in pathlib.Path(name).read_bytes().split(b"\0")]
        done = {record[1:] for record in records if record[:1] == b"D"}
        everybody = {recipient for mail in MAILS for recipient in mail.boxes}
        return {record[1:] for record in records if record[:1] == b"T"} if whole else everybody - done


def identify(text):
    """Which message a file holds; None if it does not hold all of one."""
    names = re.findall(rb"^Subject: (\w+)\n", text, re.M)
    if not names or not text.endswith(END):
        return None
    return BOUNCE if b"\nSubject: failure notice\n" in text else names[-1].decode()


def make(path, entry):
    """Make a part of the queue."""
    if entry.kind == hier.FOLDER:
        path.mkdir(exist_ok=True)
    elif entry.kind == hier.FIFO:
        os.mkfifo(path)
    else:
        path.write_bytes(bytes(hier.TCPTO_SIZE if entry.kind == hier.ZEROS else 0))


def no_children():
    """Reap what has ended; whether no child is left."""
    while True:
        try:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                return False
        except ChildProcessError:
            return True
