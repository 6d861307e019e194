"""The world around a server's session: the clock, this host's addresses, morercpthosts.cdb, the queue, logins, TLS; and what the listener says of
the client.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import complain
from qmailpy.queue.client import QueueProcess
from qmailpy.text.received import Client
from qmailpy.unix.fds import same_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmailpy.home import Home
    from qmailpy.settings.load import Values
    from qmailpy.smtp.auth import Credentials
    from qmailpy.serve.smtp_tls import SmtpTls
    from qmailpy.smtp.facts import Secured
    from qmailpy.unix.connection import Connection

TO_LOG = bytes(byte if 0x20 <= byte < 0x7F else 0x3F for byte in range(256))


class World:
    """The real one (smtp/world.py says what a session may ask).

    connection  with the client; values  of the settings: both for what SMTP alone can ask
    check       the program that checks passwords, with its arguments
    """

    def __init__(self, home: Home, env: Mapping[str, str], connection: Connection | None = None, values: Values | None = None,
                 check: Sequence[str] = ()) -> None:
        self.home, self.env = home, env
        self._connection, self._values, self.check = connection, values, check
        self._tls: SmtpTls | None = None

    def now(self) -> int:
        return int(time.time())

    def is_own_address(self, address: str) -> bool:
        from qmailpy.unix.ipme import own_addresses

        return own_addresses().has(address)

    def in_more_rcpthosts(self, name: bytes) -> bool:
        path = self.home.at("control", "morercpthosts.cdb")
        if not os.path.exists(path):
            return False
        from qmailpy.unix.cdb import lookup

        return lookup(path, name) is not None

    def open_queue(self) -> QueueProcess:
        return QueueProcess(self.home, self.env)

    def log(self, line: bytes) -> None:
        if not same_file(2, 0, 1):
            complain("qmail-smtpd: " + line.translate(TO_LOG).decode("ascii"))

    def pause(self, seconds: int) -> None:
        self.connection().flush()
        time.sleep(seconds)

    def connection(self) -> Connection:
        """The connection with the client."""
        assert self._connection
        return self._connection

    def stamp(self) -> bytes:
        return b"%d.%d" % (os.getpid(), self.now())

    def authenticate(self, credentials: Credentials) -> bool:
        from qmailpy.serve.checkpassword import accepts

        return accepts(self.check, self.env, self.home.path, credentials.handed_over(), self.connection().timeout)

    def introduce(self, relay: bytes | None, info: bytes | None) -> None:
        said = {"RELAYCLIENT": relay, "TCPREMOTEINFO": info}
        env = {name: value for name, value in self.env.items() if name not in said}
        self.env = env | {name: os.fsdecode(value) for name, value in said.items() if value is not None}

    def prepare_tls(self) -> str:
        from qmailpy.serve.smtp_tls import SmtpTls

        assert self._values
        self._tls = SmtpTls(self.home, self._values, self.env, self.log)
        return self._tls.prepare()

    def start_tls(self) -> Secured | None:
        assert self._tls
        return self._tls.start(self.connection())


def client(env: Mapping[str, str]) -> Client:
    """Who connects, as the listener says (tcp-environ(5))."""
    def variable(*names: str) -> bytes | None:
        return next((os.fsencode(env[name]) for name in names if name in env), None)

    found = Client(info=variable("TCPREMOTEINFO"))
    for field, names in (("ip", ("TCPREMOTEIP",)), ("host", ("TCPREMOTEHOST",)), ("local", ("TCPLOCALHOST", "TCPLOCALIP"))):
        if (value := variable(*names)) is not None:
            setattr(found, field, value)
    return found


def relay(env: Mapping[str, str]) -> bytes | None:
    """What RELAYCLIENT says; None: the client may not relay."""
    return os.fsencode(env["RELAYCLIENT"]) if "RELAYCLIENT" in env else None
