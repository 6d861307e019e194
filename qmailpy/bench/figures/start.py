"""start: what it costs to start a program for one message, where nothing of it is running yet."""

from __future__ import annotations

import os
import time

from qmailpy.bench.dialogue import BODY, LOCAL, REMOTE, SENDER, USER, commands
from qmailpy.bench.measure import Contender, Failed, Table
from qmailpy.bench.servers import TO_LOCAL, TO_REMOTE
from qmailpy.unix.fds import close_quietly, write_all
from qmailpy.unix.process import spawn, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qmailpy.bench.bench import Bench, Place
    from qmailpy.bench.qmail import Qmail

ABOUT = "one start of a program with one whole message, nothing of it running before, against a bare interpreter"
TIMES = 10  # starts in a round
SESSION = b"".join(said for said, _ in commands(TO_LOCAL))
ENVELOPE = f"F{SENDER}\0T{TO_LOCAL}\0\0".encode()


def tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table."""
    contenders = [Contender("bare interpreter", starting([bench.interpreter, "-I", "-S", "-c", "pass"], {}))]
    for home in bench.homes(place):
        contenders += programs(home)
    yield bench.compare(Table("start", place.name, ABOUT, "ms", contenders, more=False))


def programs(home: Qmail) -> list[Contender]:
    """Each program of a home that takes a message; qmail-smtpd hands it to a program that does nothing."""
    local = ["qmail-local", "--", USER, os.path.dirname(home.maildir), USER, "", "", LOCAL, SENDER, "./Maildir/"]
    jobs: list[tuple[list[str], dict[str, str], bytes, bytes]] = [
        (["qmail-smtpd"], {"QMAILQUEUE": "/bin/true", "TCPREMOTEIP": "127.0.0.1"}, SESSION, b""),
        (["qmail-queue"], {}, BODY, ENVELOPE),
        (local, {}, BODY, b""),
        (["qmail-remote", REMOTE, SENDER, TO_REMOTE], {}, BODY, b""),
    ]
    return [Contender(f"{home.name}: {argv[0]}", starting([home.program(argv[0]), *argv[1:]], {**home.env, **env}, data, envelope))
            for argv, env, data, envelope in jobs]


def starting(argv: list[str], env: Mapping[str, str], data: bytes = b"", envelope: bytes = b"") -> Callable[[], float]:
    """Starts a program and waits for its end; the average milliseconds.

    data      what it reads on descriptor 0
    envelope  what it reads on descriptor 1; else what it writes there is thrown away
    """
    def measure() -> float:
        total = 0.0
        for _ in range(TIMES):
            fds = {0: filled(data), 1: filled(envelope) if envelope else os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), 2: 2}
            begun = time.perf_counter()
            status = wait(spawn(argv, env, fds))
            total += time.perf_counter() - begun
            close_quietly(fds[0], fds[1])
            if status:
                raise Failed(f"{argv[0]}: exit {status}")
        return total * 1000 / TIMES

    return measure


def filled(data: bytes) -> int:
    """A file in memory, without a name, to be read from its beginning."""
    fd = os.memfd_create("message")
    write_all(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
