"""The world around a server's session: the clock, this host's addresses, users and tables, the DNS, programs, logins, TLS, clamd, the queue; what the
listener says.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import Temporary, during
from qmailpy.text.received import Client
from qmailpy.unix.connection import Gone
from qmailpy.unix.fds import TimedOut, may_complain, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmailpy.home import Home
    from qmailpy.queue.client import QueueProcess
    from qmailpy.serve.smtp_tls import SmtpTls
    from qmailpy.settings.load import Values
    from qmailpy.smtp.auth import Credentials
    from qmailpy.smtp.callback import Answer
    from qmailpy.smtp.facts import Secured
    from qmailpy.unix.clamd import Scan
    from qmailpy.unix.connection import Connection
    from qmailpy.unix.regex import Searcher
    from qmailpy.unix.resolver import Resolver

SEARCH = 5  # seconds for one list of patterns
PAUSE = 1 << 31  # seconds: longer than any client waits, and no more than sleep takes
LOG_LINE = 4000  # bytes: lines up to this length of processes that share a pipe do not mix


class World:
    """The real one (smtp/world.py says what a session may ask).

    name  of the program, for the log
    """

    def __init__(self, home: Home, env: Mapping[str, str], name: str = "qmail-smtpd") -> None:
        self.home, self.env, self.name = home, env, name
        self.pid = os.getpid()
        self.told: set[bytes] = set()

    def now(self) -> int:
        return int(time.time())

    def variable(self, name: str) -> str | None:
        return self.env.get(name)

    def log(self, line: bytes) -> None:
        if not may_complain():
            return
        from qmailpy.text.loglines import SAFE

        try:
            write_all(2, self.name.encode() + b": " + line[:LOG_LINE].translate(SAFE) + b"\n")
        except OSError:
            pass  # nobody wants it

    def log_once(self, line: bytes) -> None:
        if line not in self.told:
            self.told.add(line)
            self.log(line)

    def is_own_address(self, address: str) -> bool:
        from qmailpy.settings.load import Unreadable, load
        from qmailpy.unix.ipme import own_addresses

        try:
            values = load(self.home, ("moreipme", "notipme"))
        except Unreadable as problem:
            raise Temporary("unable to read controls", "4.3.0") from problem
        with during("unable to figure out my IP addresses", "4.3.0"):
            return own_addresses(values.list("moreipme"), values.list("notipme")).has(address)

    def in_more_rcpthosts(self, name: bytes) -> bool:
        path = self.home.at("control", "morercpthosts.cdb")
        if not os.path.exists(path):
            return False
        from qmailpy.unix.cdb import lookup

        return lookup(path, name) is not None

    def has_account(self, local: bytes) -> bool:
        from qmailpy.serve.mailboxes import exists

        return exists(self.home, local, self.log)

    def in_table(self, name: bytes, keys: Sequence[bytes]) -> bool | None:
        from qmailpy.unix.cdb import Reader, Unopenable

        why = "file does not exist"
        try:
            table = Reader(os.path.join(self.home.path, os.fsdecode(name)))
            if not table.absent:
                return any(table.get(key) is not None for key in keys)
        except Unopenable as problem:
            why = problem.text
        except Temporary as problem:
            raise Temporary("unable to check recipients", "4.3.0") from problem
        self.log_once(b"control/recipients: %s is passed over: %s" % (name, os.fsencode(why)))
        return None

    def open_queue(self) -> QueueProcess:
        from qmailpy.queue.client import QueueProcess

        return QueueProcess(self.home, self.env)

    def introduce(self, relay: bytes | None, info: bytes | None) -> None:
        said = {"RELAYCLIENT": relay, "TCPREMOTEINFO": info}
        env = {name: value for name, value in self.env.items() if name not in said}
        self.env = env | {name: os.fsdecode(value) for name, value in said.items() if value is not None}


class SmtpWorld(World):
    """The real one for SMTP, with the client's connection in it.

    values  of the settings, for TLS; check  the program that checks passwords, with its arguments
    """

    def __init__(self, home: Home, env: Mapping[str, str], connection: Connection, values: Values, check: Sequence[str] = ()) -> None:
        super().__init__(home, env)
        self.connection, self.values, self.check = connection, values, check
        self._tls: SmtpTls | None = None
        self._resolver: Resolver | None = None
        self._searcher: Searcher | None = None

    def hear(self, seconds: int) -> bytes | None:
        patience, self.connection.timeout = self.connection.timeout, seconds
        try:
            return self.connection.read()
        except TimedOut:
            return None
        except Gone:
            return b""
        finally:
            self.connection.timeout = patience

    def pause(self, seconds: int) -> None:
        self.connection.flush()
        time.sleep(min(seconds, PAUSE))

    def search(self, name: str, lines: list[bytes], subject: bytes) -> bytes | None:
        if self._searcher is None:
            from qmailpy.unix.regex import Searcher

            self._searcher = Searcher(SEARCH, self.log)
        return self._searcher.hit(name, lines, subject)

    def resolver(self) -> Resolver:
        """Who asks the DNS."""
        if self._resolver is None:
            from qmailpy.unix.resolver import Resolver

            self._resolver = Resolver(self.env)
        return self._resolver

    def exists(self, name: bytes) -> bool:
        return self.resolver().has(name, "A", "AAAA", "MX")

    def takes_mail(self, domain: bytes) -> bool:
        from qmailpy.exits import Permanent

        try:
            return bool(self.resolver().exchangers(domain)) or self.resolver().has(domain, "A", "AAAA")
        except Permanent:
            return False

    def call_back(self, sender: bytes, helo: bytes, timeout: int) -> Answer:
        from qmailpy.serve.callback import Callback

        return Callback(self.resolver(), self.is_own_address, helo, timeout).ask(sender)

    def stamp(self) -> bytes:
        return b"%d.%d" % (os.getpid(), self.now())  # a session that was elsewhere meanwhile has the process id of another one

    def authenticate(self, credentials: Credentials) -> bool:
        from qmailpy.serve.checkpassword import accepts

        return accepts(self.check, self.env, self.home.path, credentials.handed_over(), self.connection.timeout)

    def prepare_tls(self) -> str:
        from qmailpy.serve.smtp_tls import SmtpTls

        self._tls = SmtpTls(self.home, self.values, self.env, self.log)
        return self._tls.prepare()

    def start_tls(self) -> Secured | None:
        assert self._tls
        return self._tls.start(self.connection)

    def ask_program(self, program: str, sender: bytes, recipient: bytes) -> int:
        from qmailpy.serve.rcptcheck import ask

        return ask(self.home, self.env, program, sender, recipient, self.connection.timeout)

    def open_scan(self, address: bytes, seconds: int) -> Scan:
        from qmailpy.unix.clamd import Scan

        return Scan(address, seconds)


def client(env: Mapping[str, str]) -> Client:
    """Who connects, as the listener says (tcp-environ(5))."""
    def variable(*names: str) -> bytes | None:
        for name in names:
            if name in env:
                return os.fsencode(env[name])
        return None

    found = Client(info=variable("TCPREMOTEINFO"))
    for field, names in (("ip", ("TCPREMOTEIP",)), ("host", ("TCPREMOTEHOST",)), ("local", ("TCPLOCALHOST", "TCPLOCALIP"))):
        if (value := variable(*names)) is not None:
            setattr(found, field, value)
    return found


def relay(env: Mapping[str, str]) -> bytes | None:
    """What RELAYCLIENT says; None: the client may not relay."""
    return os.fsencode(env["RELAYCLIENT"]) if "RELAYCLIENT" in env else None
