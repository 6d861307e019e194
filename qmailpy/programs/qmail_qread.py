"""qmail-qread: list the messages in the queue and their recipients.  See qmail-qread(8)."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import OK, TEMPORARY, Temporary, complain, during
from qmailpy.home import here
from qmailpy.queue.paths import Paths
from qmailpy.text.date import rfc822
from qmailpy.text.envelope import DONE, RECIPIENT, RecordReader, sender_of
from qmailpy.unix.fds import BLOCK, read_all, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

SHOWN = bytes(byte if 32 <= byte <= 126 else 0x5F for byte in range(256))
KINDS = ("local", "remote")


class Queued:
    """What is known of a message: birth in seconds, size in bytes.  Raises OSError if it has gone meanwhile."""

    __slots__ = ("birth", "size", "sender", "bouncing")

    def __init__(self, paths: Paths, number: int) -> None:
        self.size = os.stat(paths.mess(number)).st_size
        self.bouncing = os.path.exists(paths.bounce(number))
        fd = os.open(paths.info(number), os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.sender = sender_of(read_all(fd)) or b""
            self.birth = int(os.fstat(fd).st_mtime)
        finally:
            os.close(fd)


def numbers(paths: Paths) -> Iterator[int]:
    """The messages that have an info file.  Raises Temporary."""
    with during("unable to chdir"):
        os.stat(paths.queue + "/.")
    for part in range(paths.split):
        with during(f"unable to opendir info/{part}"):
            names = os.listdir(f"{paths.queue}/info/{part}")
        yield from sorted(int(name) for name in names if name.isascii() and name.isdigit())


def recipients(path: str) -> Iterator[tuple[bytes, bool]]:
    """(address, whether it is done with) of each recipient in a channel's file, which may have gone.  Raises OSError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    reader = RecordReader()
    try:
        while data := os.read(fd, BLOCK):
            reader.feed(data)
            while found := reader.next_record():
                letter, address, _ = found
                if letter in (RECIPIENT, DONE):
                    yield address, letter == DONE
    finally:
        os.close(fd)


class Plain:
    """The list for people, as it always was."""

    def message(self, paths: Paths, number: int) -> Iterator[bytes]:
        """The lines of one message."""
        try:
            queued = Queued(paths, number)
        except OSError as problem:
            yield self.trouble(number, problem)
            return
        birth = rfc822(queued.birth).removesuffix(b" -0000")
        line = b"%s GMT  #%d  %d  <%s> " % (birth, number, queued.size, queued.sender)
        yield (line + b" bouncing" if queued.bouncing else line).translate(SHOWN) + b"\n"
        for kind in KINDS:
            try:
                for address, done in recipients(paths.name(kind, number)):
                    yield (b"  done" if done else b"") + b"\t" + kind.encode() + b"\t" + address.translate(SHOWN) + b"\n"
            except OSError as problem:
                yield self.trouble(number, problem)

    def trouble(self, number: int, problem: OSError) -> bytes:
        """The line about a message that cannot be read."""
        return f"warning: trouble with #{number}: {wording(problem.errno)}\n".encode()


class Json:
    """The list for programs: one JSON object a line."""

    def message(self, paths: Paths, number: int) -> Iterator[bytes]:
        """The pieces of one message's line; its recipients are never all in memory."""
        from json import dumps

        try:
            queued = Queued(paths, number)
        except OSError as problem:
            yield dumps({"number": number, "trouble": wording(problem.errno)}).encode() + b"\n"
            return
        head = {"number": number, "birth": queued.birth, "size": queued.size, "sender": text(queued.sender), "bouncing": queued.bouncing}
        yield dumps(head)[:-1].encode() + b', "recipients": ['
        separator, end = b"", b"]}\n"
        for kind in KINDS:
            try:
                for address, done in recipients(paths.name(kind, number)):
                    yield separator + dumps({"channel": kind, "address": text(address), "done": done}).encode()
                    separator = b", "
            except OSError as problem:
                end = f'], "trouble": {dumps(wording(problem.errno))}}}\n'.encode()
        yield end


def text(address: bytes) -> str:
    r"""An address for JSON: bytes that are not UTF-8 stand as \xNN."""
    return address.decode("utf-8", "backslashreplace")


class Output:
    """Standard output, written in blocks."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def put(self, piece: bytes) -> None:
        """Take a piece, and write what has come together if it is a block."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        write_all(1, b"".join(self._pieces))
        self._pieces, self._size = [], 0


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    json = "--json" in argv[1:]
    style, output, status = Json() if json else Plain(), Output(), OK
    home = here()
    paths = Paths(home.at("queue"), home.split, home.big_todo)
    try:
        for number in numbers(paths):
            for piece in style.message(paths, number):
                output.put(piece)
    except Temporary as problem:
        status = TEMPORARY
        if json:
            complain(f"qmail-qread: fatal: {problem.text}")
        else:
            output.put(f"fatal: {problem.text}\n".encode())  # there, as ever
    output.flush()
    return status
