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
        command = [sys.executable, "-I", "-S", str(self.path / "lib/qmailpy/boot.py"), program, argv0 or program, *words]
        env = {"PATH": os.environ["PATH"], "QMAILQUEUE": str(self.recorder), **env}
        return subprocess.run(command, input=stdin, env=env, cwd=cwd or self.path, capture_output=True, timeout=60)

    def queue_exits(self, code, says=""):
        """Let the queue program end with this code."""
        (self.path / "bin/recorder.exit").write_text(str(code))
        (self.path / "bin/recorder.says").write_text(says)

    def queued(self):
        """(message, envelope) of the last message that was handed over whole, or None."""
        message = self.path / "bin/recorder.message"
        return (message.read_bytes(), (self.path / "bin/recorder.envelope").read_bytes()) if message.exists() else None
