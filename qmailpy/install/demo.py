"""`make demo`: a whole qmail in ./demo-home, and a message through it."""

from __future__ import annotations

import os
import pathlib
import signal
import smtplib
import subprocess
import threading
import time

from qmailpy.install import interpreter
from qmailpy.install.setup import Setup, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

HOST, USER = "demo.example", "you"
SENDER = "sender@elsewhere.example"
BODY = ["Subject: It works", f"From: {SENDER}", f"To: {USER}@{HOST}", "", "This message came in by SMTP, went through the queue,", "and into a Maildir.",
        ".A line with a dot.", ""]
PATIENCE = 60  # seconds


class Demo:
    """One demonstration."""

    def __init__(self, top: str, port: int) -> None:
        self.top, self.port = top, port
        self.home = pathlib.Path(top, "demo-home")
        self.maildir = self.home / "alias/Maildir"
        self.children: list[subprocess.Popen[bytes]] = []
        self.lines: list[str] = []
        self.news = threading.Condition()
        self.env = {"PATH": f"{self.home}/bin:/usr/local/bin:/usr/bin:/bin"}

    def install(self, found: str) -> None:
        """Install the home, with an address for everything that comes."""
        os.umask(0o022)
        Setup(describe(str(self.home), self.top, single=True), self.top, found).run()
        for name, text in (("me", HOST), ("locals", HOST), ("rcpthosts", HOST)):
            (self.home / "control" / name).write_text(text + "\n")
        (self.home / "alias/.qmail-default").write_text("./Maildir/\n")
        if not self.maildir.exists():
            subprocess.run([self.home / "bin/maildirmake", self.maildir], check=True)

    def start(self) -> None:
        """Start the queue's daemons and the listener; wait until both are there.  Raises RuntimeError."""
        self.run("qmail-start", "./Maildir/", log="stdout")
        self.await_line("status: local ")
        listener = self.run("qmail-tcpserver", "-v1RHl0", "127.0.0.1", str(self.port), str(self.home / "bin/qmail-smtpd"), log="stderr")
        self.await_line("tcpserver: status: ")
        assert listener.stdout
        self.port = int(listener.stdout.readline())

    def run(self, program: str, *arguments: str, log: str) -> subprocess.Popen[bytes]:
        """Start a program of the home; what it writes to `log` becomes lines."""
        child = subprocess.Popen([str(self.home / "bin" / program), *arguments], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE if log == "stderr" else None, start_new_session=True)
        self.children.append(child)
        pipe = child.stdout if log == "stdout" else child.stderr
        assert pipe
        threading.Thread(target=self.follow, args=(pipe,), daemon=True).start()
        return child

    def follow(self, pipe: IO[bytes]) -> None:
        """Take lines as they come."""
        for line in pipe:
            with self.news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()

    def await_line(self, beginning: str) -> None:
        """Wait for a line that begins so.  Raises RuntimeError."""
        def ended() -> bool:
            return any("fatal: " in line or "alert: " in line for line in self.lines)

        with self.news:
            self.news.wait_for(lambda: ended() or any(line.startswith(beginning) for line in self.lines), PATIENCE)
        if ended() or not any(line.startswith(beginning) for line in self.lines):
            raise RuntimeError("\n".join(["it did not start:", *self.lines]))

    def send(self) -> None:
        """Send the message by SMTP.  Raises OSError, smtplib.SMTPException."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as client:
            client.sendmail(SENDER, [f"{USER}@{HOST}"], "\r\n".join(BODY))

    def arrived(self, before: set[pathlib.Path]) -> pathlib.Path | None:
        """The file of the message, once it is there whole and the queue has done with it; None if it does not come."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            for path in set((self.maildir / "new").iterdir()) - before:
                if path.read_bytes().endswith("\n".join(BODY).encode()):
                    self.await_line("end msg ")
                    return path
            time.sleep(0.02)  # a Maildir tells nobody what comes into it
        return None

    def stop(self) -> None:
        """End everything that was started."""
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()


def demo(top: str, port: int, *, once: bool) -> int:
    """Install, start, deliver, show; serve until interrupted, or with `once` end.  0 if the message arrived whole."""
    found = interpreter.choose()
    if found is None:
        print("make demo: no interpreter that every user can execute: Python 3.11 or newer is needed")
        return 111
    shown = Demo(top, port)
    print(f"installing a home for one user in {shown.home}", flush=True)
    shown.install(found)
    before = set((shown.maildir / "new").iterdir())
    try:
        shown.start()
        shown.send()
        path = shown.arrived(before)
        return show(shown, path, once=once)
    except (RuntimeError, OSError, smtplib.SMTPException) as problem:
        print(f"make demo: {problem}\nIs something running on port {port}, or in this home? PORT=n takes another port.")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        shown.stop()


def show(shown: Demo, path: pathlib.Path | None, *, once: bool) -> int:
    """Tell what happened, and how to go on."""
    print("\nThe log:\n  " + "\n  ".join(shown.lines))
    if path is None:
        print("\nThe message did not arrive.")
        return 1
    print(f"\nThe message, as it lies in {path}:\n  " + path.read_text().rstrip("\n").replace("\n", "\n  "))
    if once:
        return 0
    print(f"\nServing SMTP on 127.0.0.1:{shown.port}. To send more, from another window:\n"
          f"  printf 'Subject: more\\n\\nHello.\\n' | curl --crlf -T - --mail-from {SENDER} --mail-rcpt anything@{HOST} smtp://127.0.0.1:{shown.port}\n"
          f"  printf 'Subject: more\\n\\nHello.\\n' | {shown.home}/bin/qmail-inject anything@{HOST}\n"
          f"Mail for anything@{HOST} arrives in {shown.maildir}/new. Interrupt (control-C) to end.", flush=True)
    while all(child.poll() is None for child in shown.children):
        time.sleep(1)
    return 1
