"""A home to measure in: installed for this run from this checkout, removed at its end."""

import os
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
BODY = b"Subject: bench\n\n" + b"Some text, as long as a line of a message usually is.\n" * 20


class BenchHome:
    """A single-user home below a temporary folder."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="qmailpy-bench.")
        self.path = pathlib.Path(self.folder.name, "home")
        self.env = {"PATH": f"{self.path}/bin:/usr/bin:/bin"}
        subprocess.run([sys.executable, "-m", "qmailpy.install", "setup", "--home", str(self.path), "--single"], cwd=TOP, check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": f"{TOP}:{TOP}/.build/site"})
        self.control(me="bench.example\n", locals="bench.example\n", rcpthosts="bench.example\n")
        subprocess.run([self.program("maildirmake"), self.path / "alias/Maildir"], check=True)

    def close(self):
        """Remove it."""
        self.folder.cleanup()

    def program(self, name):
        """The path of a program."""
        return str(self.path / "bin" / name)

    def control(self, **files):
        """Write control files."""
        for name, text in files.items():
            (self.path / "control" / name).write_text(text)

    def run(self, name, *arguments, data=b"", env=None):
        """Run a program of the home to its end."""
        subprocess.run([self.program(name), *arguments], input=data, stdout=subprocess.DEVNULL, env={**self.env, **(env or {})}, check=True)
