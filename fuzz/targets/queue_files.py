"""Files of the queue, whatever is in them: todo/N, info/N, local/N, lock/tcpto (send/todo.py, send/files.py, queue/tcpto.py, programs/qmail_qread.py).

- Nothing is raised but Trouble, of todo/N; then it names the file.
- Of todo/N, each recipient is in exactly one of local and remote, in order; the sender is in info.
- A done mark changes one byte.  qmail-qread shows every recipient, in printable lines, and in JSON.  lock/tcpto keeps its size; what is noted is found again.
"""

from __future__ import annotations

import json
import os
import tempfile

from qmailpy.programs.qmail_qread import Json, Plain
from qmailpy.queue.boot import Boot
from qmailpy.queue.leftovers import numbers
from qmailpy.queue.paths import Paths
from qmailpy.queue.tcpto import SIZE, DeadHosts, parse
from qmailpy.send.files import Files
from qmailpy.send.log import Log
from qmailpy.send.todo import Envelope, Preprocessor
from qmailpy.send.writer import Trouble
from qmailpy.text.envelope import RecordReader
from qmailpy.text.route import Routes

from fuzz.promise import as_zero, descriptor_of, file_of, promise
from fuzz.worlds import NOW

WORDS = (b"u1000\0", b"p42\0", b"Fa@b.example\0", b"Tc@ours.example\0", b"Td@theirs.example\0", b"T\0", b"F\0", b"\0", b"D", b"T%@", b"Tx%y@hack.example\0",
         b"u" + b"9" * 5000, b"-owner-@x-@[]\0")
MEMORY = "/dev/shm"  # noqa: S108 (a folder for temporary files)
FOLDER = MEMORY if os.access(MEMORY, os.W_OK) else None
ROUTES = Routes(b"host.example", frozenset([b"ours.example"]), frozenset([b"hack.example"]), {b"virtual.example": b"joe", b".sub.example": b"", b"x@y": b"z"})


def check(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz.", dir=FOLDER) as folder:
        for name in ("mess/0", "info/0", "local/0", "remote/0", "bounce", "todo"):
            os.makedirs(f"{folder}/{name}")
        preprocess(data, Paths(folder, 1))
        damaged(data, Paths(folder, 1))
    dead_hosts(data)


def preprocess(data: bytes, paths: Paths) -> None:
    """The bytes as todo/7."""
    with open(paths.todo(7), "wb") as file:
        file.write(data)
    envelope, log = Envelope(paths.todo(7), "todo/7"), Log()
    worker = Preprocessor(paths, ROUTES, log)
    try:
        held = Preprocessor(paths, ROUTES, Log()).process(envelope, 7, 100, NOW, hold=True) if envelope.whole else None
        with descriptor_of(b"") as fd, as_zero(fd):
            fresh = worker.process(envelope, 7, 100, NOW)
            log.flush()
            promise(os.pread(fd, len(data) * 4 + 4096, 0).count(b"\n") <= 1 + data.count(b"F"), "more lines in the log")
        again = worker.resume(envelope, 7, Boot(paths.lock("boot")))
        promise(held is None or (held.sender, held.made, held.records) == (fresh.sender, fresh.made, fresh.records), "in memory it is something else")
        promise(again is None or (again.sender, again.made, again.left) == (fresh.sender, fresh.made, fresh.made), "it goes on with something else")
        promise(not envelope.whole or fresh.made & ~worker.channels(envelope) == 0, "another channel")
    except Trouble as problem:
        promise("/7" in str(problem), "it does not say which file", str(problem))
        return
    finally:
        envelope.close()
    given = [record for record in data.split(b"\0")[:-1] if record[:1] == b"T"]
    made = [records(paths, kind) for kind in ("local", "remote")]
    promise(len(given) == sum(map(len, made)), "other recipients", given, *made)
    promise(made == [[b"T" + ROUTES.route(one[1:])[1] for one in given if ROUTES.route(one[1:])[0] == channel] for channel in (0, 1)], "another order", *made)
    promise(all(record.startswith(b"F") for record in records(paths, "info")), "info has something else")


def records(paths: Paths, kind: str) -> list[bytes]:
    """What a file holds."""
    try:
        with open(paths.name(kind, 7), "rb") as file:
            return file.read().split(b"\0")[:-1]
    except FileNotFoundError:
        return []


def damaged(data: bytes, paths: Paths) -> None:
    """The bytes as files of a message that is being delivered."""
    for kind in ("info", "local"):
        with open(paths.name(kind, 8), "wb") as file:
            file.write(data)
    files = Files(paths)
    found = files.info(8)
    promise((found is not None) == (data[:1] == b"F" and b"\0" in data), "info says something else", found)
    reader = RecordReader()
    reader.feed(data)
    while (record := reader.next_record()) is not None:
        letter, text, begin = record
        promise(data[begin:begin + 1 + len(text)] == (letter or b"\0") + text, "another place", begin)
        if letter == b"T":
            files.mark_done(0, 8, begin)
    marked = b"\0".join(b"D" + one[1:] if one.startswith(b"T") else one for one in data.split(b"\0")[:-1])
    rest = data.rpartition(b"\0")
    with open(paths.name("local", 8), "rb") as file:
        promise(file.read() == marked + rest[1] + rest[2], "more than the marks has changed")
    promise(sorted(numbers(paths.queue, "local")) in ([8], [7, 8]), "other messages")
    shown(paths, marked.count(b"\0D") + marked.startswith(b"D"))


def shown(paths: Paths, recipients: int) -> None:
    """What qmail-qread says of the message."""
    with open(paths.mess(8), "wb"):
        pass
    rows = b"".join(Plain().message(paths, 8)).split(b"\n")
    promise(len(rows) == recipients + 2 and all(byte in b"\t" or 32 <= byte < 127 for row in rows for byte in row), "no such lines", rows)
    found = json.loads(b"".join(Json().message(paths, 8)))
    promise(len(found["recipients"]) == recipients and all(one["done"] for one in found["recipients"]), "other recipients", found)


def dead_hosts(data: bytes) -> None:
    """The bytes as lock/tcpto."""
    promise(all(len(one.bytes()) == 16 for one in parse(data)), "a record of another size")
    with file_of(data) as path:
        hosts = DeadHosts(path, 3)
        for number in range(4):
            hosts.note(b"\xc0\0\x02\x07", True, NOW + 200 * number)
        found = hosts.is_dead(b"\xc0\0\x02\x07", NOW + 800)
        promise(found or len(data) < 16 or any(int.from_bytes(data[at + 8:at + 12], "little") > NOW for at in range(0, len(data) - 15, 16)), "forgotten")
        hosts.note(b"\xc0\0\x02\x07", False, NOW + 801)
        promise(not hosts.is_dead(b"\xc0\0\x02\x07", NOW + 802), "it has answered, and is dead")
        promise(os.stat(path).st_size == len(data) and SIZE >= 16, "it has another size")
