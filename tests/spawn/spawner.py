"""A spawner of a real home, and a user it delivers to."""

import os
import pathlib
import shutil
import subprocess

UID = 54321


def owner():
    return (UID, UID + 1) if os.geteuid() == 0 else (os.getuid(), os.getgid())


def command(pid):
    """A process's name; "" if it has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""


class Spawner:
    """A spawner of a home with one message; `report` gives what it says of an order.  `files`: the most descriptors that it may have open."""

    def __init__(self, home, *argv, files=None, **env):
        self.message = home.path / "queue/mess/0/46"
        self.message.write_bytes(b"Subject: x\n\nbody\n")
        shutil.copystat(home.path / "queue/mess", self.message)
        self.message.chmod(0o644)
        os.chown(self.message, (owner := (home.path / "queue").stat()).st_uid, owner.st_gid)
        limit = ["sh", "-c", f'ulimit -n {files}; exec "$0" "$@"'] if files else []
        self.process = subprocess.Popen([*limit, home.program(argv[0]), *argv[1:]], env={**home.env, "SECRET": "x\udcff", **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self.process.stdout.read(1)

    def order(self, recipient, sender=b"s@x", number=0):
        self.process.stdin.write(bytes([number]) + b"0/46\0" + sender + b"\0" + recipient + b"\0")

    def report(self, recipient, sender=b"s@x"):
        self.order(recipient, sender)
        return self.next_report()

    def next_report(self):
        said = self.process.stdout.read(1)
        while not said[1:].endswith(b"\0"):
            byte = self.process.stdout.read(1)
            assert byte, said
            said += byte
        return said[1:-1]

    def children(self, name):
        """The process ids of its children of this name."""
        pids = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid) for pid in pids if command(pid) == name}

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.message.unlink()
