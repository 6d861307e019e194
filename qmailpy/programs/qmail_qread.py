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


def numbers(paths: Paths) -> Iterator[int]:
    """The messages that have an info file.  Raises OSError."""
    for part in range(paths.split):
        names = os.listdir(f"{paths.queue}/info/{part}")
        yield from sorted(int(name) for name in names if name.isascii() and name.isdigit())


def heading(paths: Paths, number: int) -> bytes:
    """The line of a message: birth, number, size, sender.  Raises OSError."""
    size = os.stat(paths.mess(number)).st_size
    bouncing = os.path.exists(paths.bounce(number))
    sender = sender_of(contents(paths.info(number)) or b"") or b""
    birth = rfc822(int(os.stat(paths.info(number)).st_mtime)).removesuffix(b" -0000")
    line = birth + b" GMT  #%d  %d  <" % (number, size) + sender + b"> " + (b" bouncing" if bouncing else b"")
    return line.translate(SHOWN) + b"\n"


def recipients(paths: Paths, number: int, kind: str) -> Iterator[bytes]:
    """A line for each recipient on one channel.  Raises OSError."""
    try:
        fd = os.open(paths.name(kind, number), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    reader = RecordReader()
    try:
        while data := os.read(fd, BLOCK):
            reader.feed(data)
            while found := reader.next_record():
                letter, address, _ = found
                if letter in (RECIPIENT, DONE):
                    yield (b"  done" if letter == DONE else b"") + b"\t" + kind.encode() + b"\t" + address.translate(SHOWN) + b"\n"
    finally:
        os.close(fd)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    paths = Paths(home.at("queue"), home.split, home.big_todo)
    try:
        for number in numbers(paths):
            try:
                write_all(1, heading(paths, number))
                for kind in KINDS:
                    for line in recipients(paths, number, kind):
                        write_all(1, line)
            except BrokenPipeError:
                return TEMPORARY
            except OSError as problem:
                write_all(1, f"warning: trouble with #{number}: {wording(problem.errno)}\n".encode())
    except OSError as problem:
        write_all(1, f"fatal: unable to opendir info: {wording(problem.errno)}\n".encode())
        return TEMPORARY
    return OK
