"""Helpers for tests of resident pools: running ones, callers with strange habits, and what a program sees of its process."""

import contextlib
import os
import pickle
import pathlib
import signal
import subprocess
import traceback

from tests.home import PATIENCE, Lines, wait_for

# A queue program that writes down what its process is like, and takes the message.
WITNESS = """#!/bin/sh
cat > /dev/null; cat <&1 > /dev/null
{
  env | grep -v '^_=' | sort; pwd; umask; ulimit -Sa; ulimit -Ha
  while read -r name value; do case $name in SigBlk:|SigIgn:) echo "$name $value" ;; esac; done < /proc/self/status
  for fd in 3 5 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo "descriptor $fd"; done
} > "$0.new" 2>&1
echo "group $(ps -o pgid= -p $PPID) of $(cat /proc/$PPID/comm) $PPID" > "$0.parent"
mv "$0.new" "$0.saw"
"""
DIALOGUE = b"HELO a.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@test.example>\r\nDATA\r\nSubject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n"


LOT = "qmail-pool-lot"


class RunningPool:
    """One pool of a home.  `parking`: milliseconds that silent sessions keep their worker; 0: they keep it."""

    def __init__(self, home, kind, *options, size=1, parking=0, ready=True, **how):
        home.control(**{f"pool{kind}": f"{size}\n", "poolparking": f"{parking}\n"})
        self.home, self.kind = home, kind
        self.child = subprocess.Popen([home.program("qmail-pool"), *options, kind], env=home.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, **how)
        self.log = Lines(self.child.stderr)
        if ready:
            wait_for(lambda: self.socket.exists() and len(self.workers()) >= min(size, 2) and bool(self.lots()) == bool(parking), lambda: f"no pool: {self.log.text()}")

    @property
    def folder(self):
        return self.home.path / "run" / ("queue" if self.kind == "queue" else f"servers/{os.geteuid()}")

    @property
    def socket(self):
        return self.folder / "socket"

    def supervisor(self):
        """The supervisor's process id."""
        return children(self.child.pid)[-1]

    def workers(self):
        """The workers' process ids."""
        return [pid for pid, name in self._inner() if name != LOT]

    def lots(self):
        """The process ids of what holds sessions that wait, of each supervisor."""
        return [pid for pid, name in self._inner() if name == LOT]

    def _inner(self):
        return [(pid, name_of(pid)) for one in children(self.child.pid) for pid in children(one)]

    def send(self, number):
        self.child.send_signal(number)

    def end(self):
        """End it, and see that it has gone: what its sessions wait for will not come any more."""
        for waits in (lambda: not self.socket.exists() or self.child.poll() is not None, lambda: self.child.poll() is not None):
            with contextlib.suppress(ProcessLookupError):
                self.send(signal.SIGTERM)
            with contextlib.suppress(AssertionError):
                wait_for(waits)
        try:
            return self.child.wait(PATIENCE)
        finally:
            self.child.kill()
            self.child.stderr.close()


def children(pid):
    """The process ids of a process's children; none if it has gone."""
    try:
        return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def name_of(pid):
    """What ps calls a process; "" if it has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def served_by_pool(child):
    """Whether a program that was started is the launcher still, so that a pool does its work."""
    return not os.readlink(f"/proc/{child.pid}/exe").rpartition("/")[2].startswith("python")


def is_alive(pid):
    """Whether a process runs: one that has ended and is not waited for does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def in_child(work):
    """What `work` returns, done in a process of its own, which it may spoil."""
    source, target = os.pipe()
    os.set_inheritable(target, True)
    pid = os.fork()
    if pid == 0:
        high = 900
        os.dup2(target, high)
        leave = os._exit
        try:
            told = ("", work())
        except BaseException:
            told = (traceback.format_exc(), None)
        os.write(high, pickle.dumps(told))
        leave(0)
    os.close(target)
    with open(source, "rb") as answer:
        data = answer.read()
    os.waitpid(pid, 0)
    trouble, value = pickle.loads(data)
    assert not trouble, trouble
    return value
