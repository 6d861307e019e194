"""TLS for qmail-popup, and so for the programs that it runs: by a process of its own, or by the listener."""

from __future__ import annotations

import os

from qmailpy.exits import Temporary, complain
from qmailpy.home import here
from qmailpy.unix import ucspi_tls
from qmailpy.unix.fds import may_complain
from qmailpy.unix.process import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qmailpy.home import Home
    from qmailpy.unix.tls_server import Server

SETTINGS = ("servercert.pem", "tlsserverciphers")
CLIENT = (0, 1)  # its descriptors
ENDED = 1


def tell(text: str) -> None:
    """A line for the log, unless that is the client's connection."""
    if may_complain():
        complain(f"qmail-popup: {text}")


def speaker() -> Identity | None:
    """Whom a process is to be that hears strangers, if it was started as root for the sake of the program behind it; None: who it is.  Raises Temporary."""
    if os.geteuid():
        return None
    home = here()
    return None if home.single or not home.uid("qmaild") else Identity(home.uid("qmaild"), home.gid("nofiles"))


class Pop3Tls:
    """TLS for one connection: `prepare`, then `secured`."""

    def __init__(self, home: Home | None, env: Mapping[str, str]) -> None:
        self.home, self.env = home, env
        self._server: Server | None = None

    def prepare(self) -> bool:
        """Load what is needed; whether there can be TLS."""
        if ucspi_tls.offered(self.env):
            return True
        from qmailpy.serve.tls import material
        from qmailpy.settings.load import load
        from qmailpy.unix.tls import Failed
        from qmailpy.unix.tls_server import Server

        assert self.home
        try:
            self._server = Server(material(self.home, load(self.home, SETTINGS, self.env)), tell)
        except Failed as problem:
            tell(f"tls: {problem.reason}")
        except Temporary as problem:
            tell(f"tls: {problem.text}")
        return self._server is not None

    def secured(self, work: Callable[[], int], seconds: float) -> int:
        """Do `work` with the client on descriptors 0 and 1 within TLS; the exit status.  Raises OSError."""
        if self._server is None:
            ucspi_tls.begin(self.env, *CLIENT)
            return work()
        from qmailpy.unix.tls_relay import behind_tls

        behind_tls(work, self._server.layer(*CLIENT), seconds, speaker(), tell)
        return ENDED


def pop3_tls(env: Mapping[str, str]) -> Pop3Tls | None:
    """What TLS there is for a client; None: none."""
    if ucspi_tls.offered(env):
        return Pop3Tls(None, env)
    try:
        home = here()
    except Temporary as problem:
        tell(f"tls: {problem.text}")
        return None
    there = "POP3S" in env or os.path.exists(home.at("control", "servercert.pem"))
    return Pop3Tls(home, env) if there else None
