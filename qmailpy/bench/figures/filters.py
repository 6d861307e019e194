"""filters: what all checks of qmail-smtpd cost a session, in a process that is warm."""

from __future__ import annotations

import time

from qmailpy.bench.dialogue import LOCAL, REMOTE, SENDER, WIRE
from qmailpy.bench.measure import Contender, Failed, Table
from qmailpy.bench.peers import Answering
from qmailpy.bench.servers import TO_LOCAL
from qmailpy.home import Home
from qmailpy.serve.world import SmtpWorld, client
from qmailpy.settings.load import load
from qmailpy.settings.table import SETTINGS
from qmailpy.smtp.server import Session
from qmailpy.unix.cdb import write
from qmailpy.unix.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qmailpy.bench.bench import Bench, Place
    from qmailpy.bench.qmail import Qmail

ABOUT = "one session with one message for qmail-queue, in a process that is warm; all filters: every check on, and 1000 patterns in each list"
TIMES = 20  # sessions in a round
PATTERNS = 1000
LISTS = ("badheloext", "badmailfromext", "badmailtoext", "badrmhostext")
CLIENT = {"TCPREMOTEIP": "192.0.2.7", "TCPREMOTEHOST": f"mail.{REMOTE}", "TCPLOCALHOST": LOCAL}
SAID = (f"EHLO mail.{REMOTE}\r\nMAIL FROM:<{SENDER}>\r\nRCPT TO:<{TO_LOCAL}>\r\nDATA\r\n".encode(), WIRE, b"QUIT\r\n")
RECIPIENTS = "users/recipients.cdb"


def tables(bench: Bench, place: Place) -> Iterator[Table]:
    """One table."""
    for home in bench.homes(place)[:1]:  # ours
        folder = home.scratch.path
        basic = {"me": LOCAL, "rcpthosts": LOCAL}
        with Answering() as answering:
            full = all_filters(folder, answering.clamd)
            contenders = [Contender("no filters", sessions(home, basic, answering.env)), Contender("all filters", sessions(home, full, answering.env))]
            yield bench.compare(Table("filters", place.name, ABOUT, "ms", contenders, more=False))


def all_filters(folder: str, clamd: str) -> dict[str, str]:
    """Control files that switch every check on, and let the message through."""
    write(f"{folder}/{RECIPIENTS}", [(b":" + TO_LOCAL.encode(), b"")])
    lists = {name: "".join(f"^[a-z]*{number}\\.no\\.such\\.example$\n" for number in range(PATTERNS)) for name in LISTS}
    return lists | {
        "antispoofing": "own.example: 10/255.0.0.0\n", "badmailfrom": "nobody@no.such.example\n", "mfcheck": "1", "helodnschkext": "1", "recipientchk": "2",
        "recipients": RECIPIENTS, "signkey": "secret", "databytesmf": "big@no.such.example:1\n", "databytesrcpt": "big@no.such.example:1\n", "clamd": clamd,
        "clamdfailreject": "1", "maxrecipients": "10", "databytes": "1000000",
    }


def sessions(home: Qmail, control: Mapping[str, str], env: Mapping[str, str]) -> Callable[[], float]:
    """Serves sessions with these control files; the average milliseconds of one."""
    place = Home(home.scratch.path)
    for name, text in control.items():
        with open(place.at("control", name), "w", encoding="ascii") as out:
            out.write(text + "\n")
    values = load(place, SETTINGS, {})
    variables = {**home.env, **CLIENT, **env}
    world = SmtpWorld(place, variables, Connection(0, 1, 60), values)

    def measure() -> float:
        begun = time.perf_counter()
        for _ in range(TIMES):
            session = Session(values, client(variables), world)
            session.greeting()
            for said in SAID:
                replies = b"".join(session.feed(said)).split(b"\r\n")[:-1]
                if refused := [reply for reply in replies if reply[:1] in (b"4", b"5")]:
                    raise Failed(refused[0].decode("ascii", "replace"))
        return (time.perf_counter() - begun) * 1000 / TIMES

    return measure
