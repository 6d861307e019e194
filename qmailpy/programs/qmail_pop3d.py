"""qmail-pop3d: a Maildir by POP3 on descriptors 0 and 1, for a client that has logged in.  See qmail-pop3d(8)."""

from __future__ import annotations

import os
import stat
import time

from qmailpy.exits import OK, Temporary, complain
from qmailpy.local.scan import clean, messages, unique
from qmailpy.pop3.commands import error
from qmailpy.pop3.session import Session
from qmailpy.unix.connection import Connection
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

TIMEOUT = 1200  # seconds to wait for the client
SESSION = 86400  # seconds for all of it
ROOT = 1  # exit status where it is started as root


class Maildir:
    """The messages that were there when the session began."""

    def __init__(self, base: bytes) -> None:
        self.base = base
        now = int(time.time())
        clean(base, now)
        found = messages(base, now)
        self.names = [name for _, name, _ in found]
        self.sizes = [size for _, _, size in found]

    def unique(self, number: int) -> bytes:
        return unique(self.names[number])

    def blocks(self, number: int) -> Iterator[bytes] | None:
        try:
            fd = os.open(self.path(self.names[number]), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return None
        return self.read(fd)

    @staticmethod
    def read(fd: int) -> Iterator[bytes]:
        """What a descriptor gives; closed behind that."""
        try:
            while data := os.read(fd, BLOCK):
                yield data
        finally:
            os.close(fd)

    def remove(self, number: int) -> bool:
        try:
            os.unlink(self.path(self.names[number]))
        except OSError:
            return False
        return True

    def keep(self, number: int) -> None:
        name = self.names[number]
        if name.startswith(b"new/"):
            try:
                os.rename(self.path(name), self.path(b"cur/" + name[4:] + b":2,"))
            except OSError:
                pass  # it stays new

    def path(self, name: bytes) -> bytes:
        """A message's file."""
        return self.base + b"/" + name


def talk(session: Session, connection: Connection) -> None:
    """The dialogue, to its end.  Raises OSError if the client has gone, or is silent too long, or a message breaks off."""
    connection.until(time.monotonic() + SESSION)
    connection.say(session.greeting())
    answered = True
    while not session.over:
        if answered:  # a command must be whole in time, however it drips
            connection.within(connection.timeout)
        answered = connection.say_all(session.feed(connection.read()))
    connection.flush()


def serve(folder: str | None, connection: Connection) -> None:
    """The whole session with the messages of a folder.  Raises OSError where it breaks off."""
    if folder is None or not os.path.isdir(folder):
        refuse(connection, "this user has no $HOME/Maildir")
        return
    try:
        maildir = Maildir(os.fsencode(folder))
    except Temporary:
        refuse(connection, "unable to scan $HOME/Maildir")
        return
    talk(Session(maildir), connection)


def refuse(connection: Connection, why: str) -> None:
    """Say why there is no session."""
    connection.say(error(why))
    connection.flush()


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if 0 in (os.getuid(), os.geteuid()):
        complain("qmail-pop3d invoked as uid 0, terminating")
        return ROOT
    try:
        serve(argv[1] if len(argv) > 1 else None, Connection(0, 1, TIMEOUT))
    except OSError:
        pass  # the client has gone, or must go
    return OK
