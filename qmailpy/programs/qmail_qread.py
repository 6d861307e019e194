"""qmail-qread: list the messages in the queue and their recipients.  See qmail-qread(8)."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import OK, TEMPORARY
from qmailpy.home import here
from qmailpy.queue.paths import Paths
from qmailpy.text.date import rfc822
from qmailpy.text.envelope import DONE, RECIPIENT, RecordReader, sender_of
from qmailpy.unix.fds import BLOCK, write_all
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

SHOWN = bytes(byte if 32 <= byte <= 126 else 0x5F for byte in range(256))
KINDS = ("local", "remote")


class Queued:
    """What is known of a message: birth in seconds, size in bytes.  Raises OSError if it has gone meanwhile."""

    __slots__ = ("number", "birth", "size", "sender", "bouncing")

    def __init__(self, paths: Paths, number: int) -> None:
        self.number = number
        self.size = os.stat(paths.mess(number)).st_size
        self.bouncing = os.path.exists(paths.bounce(number))
        self.sender = sender_of(contents(paths.info(number)) or b"") or b""
        self.birth = int(os.stat(paths.info(number)).st_mtime)


def numbers(paths: Paths) -> Iterator[int]:
    """The messages that have an info file.  Raises OSError."""
    for part in range(paths.split):
        names = os.listdir(f"{paths.queue}/info/{part}")
        yield from sorted(int(name) for name in names if name.isascii() and name.isdigit())


def recipients(paths: Paths, number: int) -> Iterator[tuple[str, bytes, bool]]:
    """(channel, address, whether it is done with) of each recipient.  Raises OSError."""
    for kind in KINDS:
        try:
            fd = os.open(paths.name(kind, number), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        reader = RecordReader()
        try:
            while data := os.read(fd, BLOCK):
                reader.feed(data)
                while found := reader.next_record():
                    letter, address, _ = found
                    if letter in (RECIPIENT, DONE):
                        yield kind, address, letter == DONE
        finally:
            os.close(fd)


class Plain:
    """The list for people, as it always was."""

    def message(self, paths: Paths, number: int) -> Iterator[bytes]:
        """The lines of one message."""
        try:
            queued = Queued(paths, number)
            birth = rfc822(queued.birth).removesuffix(b" -0000")
            line = birth + b" GMT  #%d  %d  <" % (number, queued.size) + queued.sender + b"> " + (b" bouncing" if queued.bouncing else b"")
            yield line.translate(SHOWN) + b"\n"
            for kind, address, done in recipients(paths, number):
                yield (b"  done" if done else b"") + b"\t" + kind.encode() + b"\t" + address.translate(SHOWN) + b"\n"
        except OSError as problem:
            yield f"warning: trouble with #{number}: {wording(problem.errno)}\n".encode()


class Json:
    """The list for programs: one JSON object a line, each complete as soon as it is written."""

    def message(self, paths: Paths, number: int) -> Iterator[bytes]:
        """The pieces of one message's line; its recipients are never all in memory."""
        from json import dumps

        trouble = ""
        head: dict[str, object] = {"number": number}
        try:
            queued = Queued(paths, number)
            head |= {"birth": queued.birth, "size": queued.size, "sender": text(queued.sender), "bouncing": queued.bouncing}
        except OSError as problem:
            yield dumps(head | {"trouble": wording(problem.errno)}).encode() + b"\n"
            return
        yield dumps(head)[:-1].encode() + b', "recipients": ['
        separator = b""
        try:
            for kind, address, done in recipients(paths, number):
                yield separator + dumps({"channel": kind, "address": text(address), "done": done}).encode()
                separator = b", "
        except OSError as problem:
            trouble = wording(problem.errno)
        yield b"]" + (f', "trouble": {dumps(trouble)}'.encode() if trouble else b"") + b"}\n"


def text(address: bytes) -> str:
    """An address for JSON: bytes that are not UTF-8 stand as \\xNN."""
    return address.decode("utf-8", "backslashreplace")


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    json = "--json" in argv[1:]
    style = Json() if json else Plain()
    home = here()
    paths = Paths(home.at("queue"), home.split, home.big_todo)
    try:
        for number in numbers(paths):
            for piece in style.message(paths, number):
                try:
                    write_all(1, piece)
                except OSError:
                    return TEMPORARY
    except OSError as problem:
        write_all(2 if json else 1, f"fatal: unable to opendir info: {wording(problem.errno)}\n".encode())
        return TEMPORARY
    return OK
