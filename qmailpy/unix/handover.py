"""Local sockets on which work is handed over with its descriptors, and who is on the other end.  Uses _socket: the module socket costs milliseconds.

One message is one request (text/poolwire.py).  Whoever has said TAKEN has the work; whoever gives up waiting for that shuts the connection first.
"""

from __future__ import annotations

import _socket
import array
import fcntl
import mmap
import os
import select
import struct
import time

from qmailpy.kept import KEPT
from qmailpy.text.poolwire import BUSY, HIGHEST, LIMIT, MOST_DESCRIPTORS, TAKEN
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.poll import Poll
from qmailpy.unix.signals import off_io, on_io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmailpy.home import Home

INT = struct.calcsize("i")
PEER = struct.Struct("iII")
GROUPS, LABEL = 59, 31  # SO_PEERGROUPS, SO_PEERSEC
LABEL_LIMIT = 4096  # bytes
TOO_MANY = 65536  # bytes of a list of groups
SPACES = ("mnt", "net", "pid", "user")
BACKLOG = 1024
ADDRESS_LIMIT = 108  # bytes: a path in an address is shorter
BLOCKING = 0  # flags of a connection
PATIENCE = 5.0  # seconds until a worker says that it has the work
SHORTEST, LONGEST = 0.01, 0.1  # seconds between two tries at a pool that is busy
_INBOX: list[mmap.mmap] = []  # there is one, as soon as anything was received


class Peer:
    """The process at the other end of a connection: pid (0: one that cannot be seen from here), uid, gid, all groups, security label."""

    __slots__ = ("pid", "uid", "gid", "groups", "label")

    def __init__(self, pid: int, uid: int, gid: int, groups: frozenset[int], label: bytes) -> None:
        self.pid, self.uid, self.gid, self.groups, self.label = pid, uid, gid, groups, label


class Link:
    """A connection.  Words are single messages; an empty one is the end."""

    __slots__ = ("_socket",)

    def __init__(self, connected: _socket.socket) -> None:
        self._socket = connected

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    def peer(self) -> Peer:
        """Who is at the other end.  Raises OSError."""
        pid, uid, gid = PEER.unpack(self._socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, PEER.size))
        groups = array.array("I", self._socket.getsockopt(_socket.SOL_SOCKET, GROUPS, TOO_MANY >> 6))
        try:
            label = self._socket.getsockopt(_socket.SOL_SOCKET, LABEL, LABEL_LIMIT)
        except OSError:
            label = b""  # a system without labels
        return Peer(pid, uid, gid, frozenset((gid, *groups)), label)

    def send(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """Send one message.  Raises OSError, at once if it cannot be sent at once."""
        passed = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self._socket.sendmsg([data], passed, _socket.MSG_NOSIGNAL | _socket.MSG_DONTWAIT)

    def receive_request(self, seconds: float) -> tuple[bytes, list[int]]:
        """A message of any size and the descriptors that came with it, which are the caller's to close.  Raises OSError, TimeoutError among them."""
        self._wait(seconds)
        return self._take(LIMIT)

    def collect(self, limit: int) -> tuple[bytes, list[int]] | None:
        """The same for a message that is there, of at most `limit` bytes; None if there is none, or if another process takes it.  Raises OSError."""
        try:
            return self._take(limit, _socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None

    def peek(self, most: int) -> bytes:
        """The beginning of the next message to collect; b"" if there is none."""
        try:
            return self._socket.recv(most, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
        except OSError:
            return b""

    def _take(self, limit: int, how: int = 0) -> tuple[bytes, list[int]]:
        room = memoryview(inbox())[:limit + 1]
        count, control, flags, _ = self._socket.recvmsg_into([room], _socket.CMSG_SPACE((MOST_DESCRIPTORS + 1) * INT), _socket.MSG_CMSG_CLOEXEC | how)
        data = bytes(room[:count])
        room[:count] = bytes(count)  # what one has sent is nobody else's to find
        fds = array.array("i")
        for level, kind, part in control:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                fds.frombytes(part[:len(part) - len(part) % INT])
        if flags & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
            close_quietly(*fds)
            raise OSError("too large")
        return data, list(fds)

    def receive(self, seconds: float | None = None) -> bytes:
        """The next word.  Raises OSError, TimeoutError among them."""
        if seconds:
            self._wait(seconds)
        try:
            return self._socket.recv(64, _socket.MSG_DONTWAIT if seconds == 0 else 0)
        except BlockingIOError:
            raise TimeoutError from None

    def discard(self) -> None:
        """Throw away a message that has come, and what came with it."""
        try:
            self._socket.recv(1, _socket.MSG_DONTWAIT)
        except OSError:
            pass  # there was none

    def _wait(self, seconds: float) -> None:
        poll = Poll()
        poll.add(self._socket.fileno())
        if not poll.wait(seconds):
            raise TimeoutError

    def give_up(self) -> bytes:
        """End the connection; the word that had come before, if there was one."""
        self._socket.shutdown(_socket.SHUT_RDWR)
        return self._socket.recv(64, _socket.MSG_DONTWAIT)

    def gone(self) -> bool:
        """Whether the other side has ended the connection."""
        return self.wait_for_end(0)

    def wait_for_end(self, seconds: float) -> bool:
        """Wait until the other side has ended the connection, whatever it says before; False if it has not when the seconds are over."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(int(seconds * 1000)))

    def watch(self, ended: Callable[[], object]) -> None:
        """From now on `ended` is called, in the middle of whatever is done, when the other side ends the connection."""
        on_io(self.fileno(), BLOCKING, lambda: self.gone() and ended())

    def unwatch(self) -> None:
        """No longer."""
        off_io(self.fileno(), BLOCKING)

    def move(self) -> None:
        """Have a descriptor that is in no program's way."""
        self._socket = _moved(self._socket.detach())

    def refuse(self) -> None:
        """Take no more messages: whoever sends one from now on learns that."""
        self._socket.shutdown(_socket.SHUT_RD)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


class Door:
    """A listening local socket at `path`; it appears there as a whole, and takes the place of what was there.

    Those who connect see who they talk to: the user that this process was when it was made.
    """

    def __init__(self, path: str, mode: int) -> None:
        self._path = path
        fresh = f"{path}.{os.getpid()}"
        close_name(fresh)
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK)
        self._socket.bind(fresh)
        os.chmod(fresh, mode)
        self._identity = identity(fresh)
        self._socket.listen(BACKLOG)
        os.rename(fresh, path)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    def accept(self) -> Link | None:
        """The next connection, on a descriptor that is in no program's way; None if there is none now."""
        try:
            fd, _ = self._socket._accept()  # type: ignore[attr-defined]  # what socket.accept is made of
        except (BlockingIOError, ConnectionAbortedError):
            return None
        return opened(fd)

    def move(self) -> None:
        """Have a descriptor that is in no program's way."""
        self._socket = _moved(self._socket.detach())

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def remove(self) -> None:
        """Take the name away, unless it is another's by now."""
        if identity(self._path) == self._identity:
            close_name(self._path)


def inbox() -> mmap.mmap:
    """Room for a message of any size, of which only what is used takes memory.  To ask the system for it each time takes longer than to read a message."""
    if not _INBOX:
        _INBOX.append(mmap.mmap(-1, LIMIT + 1, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    return _INBOX[0]


def opened(fd: int) -> Link:
    """The connection that a descriptor is; its number changes, to one that is in no program's way."""
    return Link(_moved(fd))


def _moved(fd: int) -> _socket.socket:
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGHEST)
    os.close(fd)
    return _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, copy)


def identity(path: str) -> tuple[int, int] | None:
    """What tells a file from all others; None if there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def close_name(path: str) -> None:
    """Remove a name, if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def reach(path: str, trusted: Sequence[int]) -> Link | None:
    """A connection to a pool, at once; None if there is none, or if who listens is none of those that are trusted.

    A path that is longer than an address can hold is taken from the folder it is in.
    """
    made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK)
    folder = -1
    try:
        if len(name := os.fsencode(path)) < ADDRESS_LIMIT:
            made.connect(name)
        else:
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            made.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        made.setblocking(True)
        _, uid, _ = PEER.unpack(made.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, PEER.size))
        if uid in trusted:
            return Link(made)
    except OSError:
        pass
    finally:
        if folder != -1:
            os.close(folder)
    made.close()
    return None


def owners(home: Home, role: str) -> tuple[int, ...]:
    """The users whose pool for a role is to be trusted: that role's, root, the owner of the home.  Raises OSError."""
    return home.uid(role), 0, os.stat(home.path).st_uid


def hand_over(path: str, trusted: Sequence[int], data: bytes, fds: Sequence[int], patience: float = PATIENCE, busy: float = 0.0, *,
              whole: bool = False) -> tuple[Link, int] | None:
    """Have a pool do the work: the connection on which its end will be told, and the worker's process id; None if it has not taken it in so many seconds.

    busy   seconds for which a pool that says that it is busy is asked again
    whole  the work needs nothing more from us: then we are not woken when it is taken, if it is over soon
    """
    limit, pause = time.monotonic() + busy, SHORTEST
    while (link := reach(path, trusted)) is not None:
        try:
            word = ask(link, data, fds, patience, whole=whole)
        except OSError:
            word = b""
        if word.startswith(TAKEN):
            return link, int(word[1:])
        link.close()
        if word != BUSY or time.monotonic() >= limit:
            break
        time.sleep(pause)
        pause = min(pause * 2, LONGEST)
    return None


def ask(link: Link, data: bytes, fds: Sequence[int], patience: float, *, whole: bool = False) -> bytes:
    """Send a request; the answer to it.  Raises OSError."""
    try:
        link.send(data, fds)
    except BrokenPipeError:
        return link.receive(0)  # it had been given before
    try:
        if whole:
            link.wait_for_end(patience)
            return link.receive(0)
        return link.receive(patience)
    except TimeoutError:
        return link.give_up()


def pair() -> tuple[Link, Link]:
    """Two ends of one connection."""
    one, other = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    return Link(one), Link(other)


def label() -> bytes:
    """This process's security label, as a peer sees it."""
    one, other = pair()
    try:
        return one.peer().label
    finally:
        one.close()
        other.close()


def place() -> bytes:
    """Where this process lives: root folder, namespaces, whether programs may gain privileges; as launcher/pool.c tells it.  A worker does not move."""
    return KEPT.once("place", look_around)


def look_around() -> bytes:
    """The same, seen now."""
    root = os.stat("/")
    found = [root.st_dev, root.st_ino]
    for space in SPACES:
        try:
            found.append(os.stat(f"/proc/self/ns/{space}").st_ino)
        except OSError:
            found.append(0)
    found.append(no_new_privileges())
    return b"".join(b"%d " % number for number in found)


def no_new_privileges() -> int:
    """1 if programs that this process executes cannot gain privileges, else 0."""
    try:
        with open("/proc/self/status", "rb") as status:
            return int(b"\nNoNewPrivs:\t1\n" in status.read())
    except OSError:
        return 0
