"""Real homes for tests: installed by `make setup`'s own code, started and stopped, their logs awaited line by line."""

import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 30  # seconds to wait for what must come
PARTS = ("mess", "info", "local", "remote", "intd", "todo", "bounce", "pid")


def install(path, *options):
    """Install a home at `path` from this checkout."""
    env = {**os.environ, "PYTHONPATH": f"{TOP}:{TOP}/.build/site"}
    done = subprocess.run([sys.executable, "-m", "qmailpy.install", "setup", "--home", str(path), *options], cwd=TOP, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


class Lines:
    """The lines that come out of a pipe, as they come."""

    def __init__(self, pipe):
        self.lines, self.news, self.over = [], threading.Condition(), False
        self.thread = threading.Thread(target=self.read, args=(pipe,), daemon=True)
        self.thread.start()

    def read(self, pipe):
        for line in pipe:
            with self.news:
                self.lines.append(line.decode("latin-1").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.over = True
            self.news.notify_all()

    def wait(self, pattern, count=1, seconds=PATIENCE):
        """The first match of the `count`-th line that has one.  Fails with all lines if it does not come."""
        def hits():
            return [found for found in (re.search(pattern, line) for line in self.lines) if found]

        with self.news:
            self.news.wait_for(lambda: len(hits()) >= count or self.over, seconds)
            found = hits()
        assert len(found) >= count, f"no line {count} like {pattern!r} in:\n" + "\n".join(self.lines)
        return found[count - 1]

    def text(self):
        return "\n".join(self.lines)


class RealHome:
    """A home: its files, and the processes that a test starts in it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.daemon = self.log = None
        self.others = []
        self.env = {"PATH": f"{self.path}/bin:/usr/local/bin:/usr/bin:/bin"}

    def program(self, name):
        return str(self.path / "bin" / name)

    def control(self, **files):
        """Write control files; None removes one."""
        for name, content in files.items():
            place = self.path / "control" / name
            if content is None:
                place.unlink(missing_ok=True)
            else:
                place.write_text(content)

    def fresh(self):
        """As after installation: default control files, no users, an empty queue; and no resident pools, which a test has to ask for."""
        for folder in ("control", "users", "alias"):
            for entry in (self.path / folder).iterdir():
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        for part in PARTS:
            for place, _, names in os.walk(self.path / "queue" / part):
                for name in names:
                    os.unlink(os.path.join(place, name))
        (self.path / "queue/lock/tcpto").write_bytes(bytes(1024))
        for place in (self.path / "run/servers").iterdir():  # each pool makes its own
            shutil.rmtree(place)
        self.control(me="mx.test.example\n", locals="test.example\n", rcpthosts="test.example\n", poolservers="0\n", poolqueue="0\n")

    def assign(self, **homes):
        """Local users, each with a home folder: {name: (folder, uid, gid)}."""
        rows = []
        for name, (folder, uid, gid) in homes.items():
            rows += [f"={name}:{name}:{uid}:{gid}:{folder}:::", f"+{name}-:{name}:{uid}:{gid}:{folder}:-::"]
        (self.path / "users/assign").write_text("\n".join([*rows, ".", ""]))
        self.run("qmail-newu")

    def run(self, *argv, status=0, **how):
        """Run a program of the home to its end; what it said."""
        done = subprocess.run([self.program(argv[0]), *argv[1:]], env={**self.env, **how.pop("env", {})}, capture_output=True, timeout=PATIENCE, **how)
        assert status is None or done.returncode == status, (argv, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def start(self, delivery="./Maildir/", **env):
        """Start the queue's daemons and wait until qmail-send is there."""
        self.daemon = subprocess.Popen([self.program("qmail-start"), delivery], env={**self.env, **env}, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.log = Lines(self.daemon.stdout)
        self.log.wait("status: local 0/")

    def stop(self):
        """TERM to qmail-send, wait until it has gone."""
        if self.daemon:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(PATIENCE)
            finally:
                self.daemon.kill()
                self.daemon = None

    def listen(self, *argv, env=None, prefix=(), softlimit=0, server=("qmail-smtpd",), address="127.0.0.1"):
        """Start qmail-tcpserver, or with `prefix` another listener that prints its port, for a server of the home; the port."""
        limit = ["softlimit", "-m", str(softlimit)] if softlimit else []
        command = [*(prefix or [self.program("qmail-tcpserver"), "-v1RHl0"]), *argv, address, "0", *limit, self.program(server[0]), *server[1:]]
        child = subprocess.Popen(command, env={**self.env, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.others.append(child)
        self.listener_log = Lines(child.stderr)
        return int(child.stdout.readline())

    def queue_files(self):
        """The names of the files in the queue."""
        return sorted(os.path.relpath(os.path.join(place, name), self.path / "queue")
                      for part in PARTS for place, _, names in os.walk(self.path / "queue" / part) for name in names)

    def wait_empty(self):
        """Wait until the queue is empty: the last line of a message's life is its `end msg`, and its mess file goes before that."""
        self.log.wait("end msg")
        wait_for(lambda: not self.queue_files(), lambda: f"left in the queue: {self.queue_files()}\n{self.log.text()}")

    def end(self):
        """End whatever a test has left running."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()
        for child in self.others:
            child.kill()
            child.wait()
        self.others.clear()


def wait_for(condition, explain=lambda: "it did not come"):
    """Wait for something that nobody announces, such as a file written by another program; the true value of `condition`."""
    limit = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < limit, explain()
        time.sleep(0.01)
    return value


def wait_for_lock(child):
    """Wait until a process waits for a lock that another holds."""
    waiting = re.compile(rf"-> FLOCK .* {child.pid} ")
    wait_for(lambda: waiting.search(pathlib.Path("/proc/locks").read_text()))


def messages(folder):
    """The contents of a Maildir's new messages, by name."""
    return [path.read_bytes() for path in sorted((pathlib.Path(folder) / "new").iterdir())]


@contextlib.contextmanager
def room_for(count):
    """While the block runs this process can open so many descriptors, and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.open(os.devnull, os.O_RDONLY) for _ in range(count)]
    for fd in free:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(free) + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
