"""Many dialogues in one process.

Each is a generator that yields what it says, and what ends the answer that it waits for, and is sent the answer; with None for an end it waits for
something that does not come over the wire.
"""

import errno
import os
import select
import socket
import time

BLOCK = 65536
LINE, DOT = b"\r\n", b"\r\n.\r\n"


class Gone(Exception):
    """The other side has closed the connection, or is silent.  `unsent`: not all of what was said has left this process."""

    def __init__(self, unsent, silent=False):
        super().__init__("silent" if silent else "gone")
        self.unsent, self.silent = unsent, silent


class Talk:
    """One connection and its dialogue."""

    def __init__(self, connection, dialogue):
        self.connection, self.dialogue = connection, dialogue
        self.said, self.heard, self.end = b"", b"", LINE
        self.heard_at = time.monotonic()

    def go_on(self, step):
        """Have the dialogue take its next step; False if that was its last."""
        try:
            said, self.end = step()
        except StopIteration:
            return False
        self.said += said
        self.heard_at = time.monotonic()
        return True

    def speak(self):
        """Write what goes.  Raises OSError."""
        if self.said:
            try:
                self.said = self.said[self.connection.send(self.said):]
            except BlockingIOError:
                pass

    def listen(self):
        """Read what there is, and answer; False if the dialogue is over.  Raises OSError, EOFError."""
        try:
            data = self.connection.recv(BLOCK)
        except BlockingIOError:
            return True
        if not data:
            raise EOFError
        self.heard += data
        while self.end and self.end in self.heard:
            before, _, self.heard = self.heard.partition(self.end)
            answer = before + self.end
            if not self.go_on(lambda answer=answer: self.dialogue.send(answer)):
                return False
        return True


class Talks:
    """All of one process.  `patience`: seconds until a silent one is given up; None: never."""

    def __init__(self, patience=None):
        self.poll, self.talks, self.patience = select.epoll(), {}, patience

    def __len__(self):
        return len(self.talks)

    def begin(self, connection, dialogue):
        """Start a dialogue on a connection, which may still be under way."""
        connection.setblocking(False)
        talk = Talk(connection, dialogue)
        self.talks[connection.fileno()] = talk
        self.poll.register(connection.fileno(), select.EPOLLIN)
        if talk.go_on(lambda: next(dialogue)):
            self.write(talk)
        else:
            self.close(talk)

    def turn(self, seconds):
        """Wait so long for something to happen, and go on wherever it does; the descriptors of others that are ready."""
        others = []
        for fd, events in self.poll.poll(seconds):
            talk = self.talks.get(fd)
            if talk is None:
                others.append(fd)
                continue
            try:
                if events & select.EPOLLIN and not talk.listen():
                    self.close(talk)
                    continue
                if events & (select.EPOLLERR | select.EPOLLHUP):
                    raise EOFError
            except (OSError, EOFError):
                self.lose(talk)
                continue
            self.write(talk)
        return others

    def waiting(self):
        """Those that wait for something else than the other side."""
        return [talk for talk in self.talks.values() if talk.end is None]

    def answer(self, talk, word):
        """Give one of these what it waits for."""
        if talk.go_on(lambda: talk.dialogue.send(word)):
            self.write(talk)
        else:
            self.close(talk)

    def give_up(self):
        """End those that have been silent for too long."""
        limit = time.monotonic() - self.patience
        for talk in [talk for talk in self.talks.values() if talk.end and talk.heard_at < limit]:
            self.lose(talk, silent=True)

    def write(self, talk):
        """Write what goes, and wait for room for the rest."""
        try:
            talk.speak()
        except OSError as problem:
            if problem.errno != errno.ENOTCONN:
                self.lose(talk)
                return
        self.poll.modify(talk.connection.fileno(), select.EPOLLIN | (select.EPOLLOUT if talk.said else 0))

    def lose(self, talk, silent=False):
        """A connection has broken off."""
        try:
            talk.dialogue.throw(Gone(bool(talk.said), silent))
        except (Gone, StopIteration):
            pass
        self.close(talk)

    def close(self, talk):
        """A dialogue is over."""
        self.talks.pop(talk.connection.fileno(), None)
        talk.connection.close()


def connect(port):
    """A connection to this host, on its way."""
    connection = socket.socket()
    connection.setblocking(False)
    try:
        connection.connect(("127.0.0.1", port))
    except OSError:
        pass  # under way, or refused, which the poll tells
    return connection


def tell(word, *rest):
    """One line for whoever has started this process."""
    os.write(1, " ".join((word, *rest)).encode() + b"\n")
