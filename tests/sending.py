"""qmail-remote's work in this process: a home of its own, with control files, a DNS and a message on descriptor 0."""

import contextlib
import os

from qmailpy.home import Home
from qmailpy.programs import qmail_remote
from tests.dnsserver import DnsServer

MESSAGE = b"Subject: x\n\nbody\n"
SENT = b"Subject: x\r\n\r\nbody\r\n"


class Sending:
    """A home below `path`."""

    def __init__(self, path, monkeypatch):
        self.path = path
        for folder in ("control/tlshosts", "control/notlshosts", "queue/lock"):
            (path / folder).mkdir(parents=True)
        self.tcpto = path / "queue/lock/tcpto"
        self.tcpto.write_bytes(bytes(1024))
        home = Home(str(path))
        home.single = True
        monkeypatch.setattr(qmail_remote, "here", lambda: home)
        self.control(me="me.example\n")

    def control(self, **files):
        """Write control files; True makes a flag of one."""
        for name, text in files.items():
            self.place(name, "1\n" if text is True else text)

    def place(self, name, text):
        """Write one whose name is no word."""
        (self.path / "control" / name).write_text(text)

    def send(self, *recipients, route, host="far.example", sender="s@x.example", zone=None, message=MESSAGE, pipe=False):
        """The report for a message; `zone`: what the DNS knows; `pipe`: the message comes through one."""
        self.control(smtproutes=route)
        words = [word.encode() for word in (host, sender, *(recipients or ("r@far.example",)))]
        with DnsServer(zone or {}) as dns, on_descriptor_0(self.path, message, pipe):
            return qmail_remote.deliver(words, dns.env)


@contextlib.contextmanager
def on_descriptor_0(folder, message, pipe):
    """While the block runs, the message is what descriptor 0 gives."""
    (folder / "message").write_bytes(message)
    source = os.open(folder / "message", os.O_RDONLY)
    if pipe:
        os.close(source)
        source, target = os.pipe()
        os.write(target, message)
        os.close(target)
    saved = os.dup(0)
    os.dup2(source, 0)
    os.close(source)
    try:
        yield
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def letters(report):
    """The first letter of each record."""
    return "".join(chr(record[0]) for record in report.split(b"\0") if record)
