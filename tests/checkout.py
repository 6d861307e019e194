"""A home folder that runs this checkout: nothing is installed, programs start in their own process, queued mail is kept by a stand-in."""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
RECORDER = """#!/bin/sh
cat > "$0.message.new" && cat <&1 > "$0.envelope" && mv "$0.message.new" "$0.message"
[ ! -s "$0.says" ] || cat "$0.says" >&2
exit $(cat "$0.exit" 2>/dev/null || echo 0)
"""


class LittleHome:
    """A single-user home below `path`, with control/me and a queue program that keeps what it gets."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        for folder in ("bin", "control", "lib"):
            (self.path / folder).mkdir()
        (self.path / "lib/qmailpy").symlink_to(TOP / "qmailpy")
        (self.path / "lib/site").symlink_to(TOP / ".build/site")
        (self.path / "lib/home.conf").write_text(f"home {self.path}\nkind single\nsplit 23\nspawn 120\n")
        self.recorder = self.program("recorder", RECORDER)
        self.control(me="me.example\n")

    def control(self, **files):
        """Write control files."""
        for name, text in files.items():
            (self.path / "control" / name).write_text(text)

    def program(self, name, text):
        """Put an executable into bin."""
        path = self.path / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def link(self, name):
        """Put one of the checkout's programs into bin."""
        return self.program(name, f'#!/bin/sh\nexec {sys.executable} -I -S {self.path}/lib/qmailpy/boot.py {name} "$0" "$@"\n')

    def run(self, program, *words, stdin=b"", argv0=None, cwd=None, **env):
        """Run a program to its end: what it wrote and its exit status, as subprocess.run gives them."""
        command, env = self.command(program, *words, argv0=argv0), self.environment(env)
        return subprocess.run(command, input=stdin, env=env, cwd=cwd or self.path, capture_output=True, timeout=60)

    def start(self, program, *words, stdin=subprocess.PIPE, **env):
        """Start a program that a test talks with: its process, with unbuffered pipes."""
        return subprocess.Popen(self.command(program, *words), env=self.environment(env), cwd=self.path, stdin=stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, bufsize=0)

    def command(self, program, *words, argv0=None):
        return [sys.executable, "-I", "-S", str(self.path / "lib/qmailpy/boot.py"), program, argv0 or program, *words]

    def environment(self, env):
        return {"PATH": os.environ["PATH"], "QMAILQUEUE": str(self.recorder), **env}

    def queue_exits(self, code, says=""):
        """Let the queue program end with this code."""
        (self.path / "bin/recorder.exit").write_text(str(code))
        (self.path / "bin/recorder.says").write_text(says)

    def queued(self):
        """(message, envelope) of the last message that was handed over whole, or None."""
        message = self.path / "bin/recorder.message"
        return (message.read_bytes(), (self.path / "bin/recorder.envelope").read_bytes()) if message.exists() else None


def feed(pipe, data):
    """Write all of it to a process's unbuffered pipe."""
    view = memoryview(data)
    while view:
        view = view[pipe.write(view):]


def peak_memory(process):
    """The most memory that a running process has had, in KiB."""
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
