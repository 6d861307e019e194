"""The other host: an SMTP server in a process of its own.  It takes each letter for `later` at the second try only, and tells what it has taken."""

import os
import select
import socket

from crash.soak.letters import ASTRAY, WHOLE, Letters
from crash.soak.wire import DOT, LINE, Talks, tell
from qmailpy.unix.process import allow_descriptors

BACKLOG, DESCRIPTORS = 512, 4096
AGAIN = b"451 come again\r\n"


class Sink:
    """What all sessions share."""

    def __init__(self, seed):
        self.letters, self.tried = Letters(seed), set()

    def session(self):
        """One dialogue."""
        recipient = ""
        heard = yield b"220 far.example ESMTP\r\n", LINE
        while True:
            verb = heard[:4].upper()
            if verb == b"QUIT":
                yield b"221 bye\r\n", LINE
            reply = b"250 ok\r\n"
            if verb == b"RCPT":
                recipient = heard.partition(b"<")[2].partition(b"@")[0].decode()
                reply = reply if self.takes(recipient) else AGAIN
            elif verb == b"DATA":
                data = yield b"354 go ahead\r\n", DOT
                self.keep(recipient, data)
            heard = yield reply, LINE

    def takes(self, recipient):
        """Whether he takes mail now."""
        if not recipient.startswith("later-") or recipient in self.tried:
            return True
        self.tried.add(recipient)
        return False

    def keep(self, recipient, data):
        """Tell what has come; before anybody is told that it was taken."""
        text = data[:-len(DOT) + 2].replace(b"\r\n", b"\n").replace(b"\n..", b"\n.")
        what, found = self.letters.judge(recipient.partition("-")[0], text)
        if what == WHOLE and found != recipient:
            what, found = ASTRAY, f"{found} to {recipient}"
        tell(what, found)


def serve(seed, listener):
    """Serve on a listening socket, until the process is ended."""
    allow_descriptors(DESCRIPTORS)
    sink, talks = Sink(seed), Talks()
    talks.poll.register(listener, select.EPOLLIN)
    while True:
        if listener.fileno() in talks.turn(None):
            try:
                connection, _ = listener.accept()
            except OSError:
                continue
            talks.begin(connection, sink.session())


def listening():
    """A socket that a sink may serve on."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listener.setblocking(False)
    return listener


def work(seed, fd):
    """What the child does, with the listening socket as descriptor `fd`."""
    serve(seed, socket.socket(fileno=fd))
    os._exit(0)
