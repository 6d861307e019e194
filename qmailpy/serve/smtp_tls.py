"""TLS in an SMTP session: done by us, or by the listener; and what it has brought about."""

from __future__ import annotations

from qmailpy.errnotext import wording
from qmailpy.smtp.facts import Secured
from qmailpy.unix import ucspi_tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qmailpy.home import Home
    from qmailpy.settings.load import Values
    from qmailpy.unix.connection import Connection
    from qmailpy.unix.tls_server import Server


class SmtpTls:
    """TLS for one session: `prepare`, then `start`.  `log` gets a line for what goes wrong."""

    def __init__(self, home: Home, values: Values, env: Mapping[str, str], log: Callable[[bytes], object]) -> None:
        self.home, self.values, self.env, self.log = home, values, env, log
        self._server: Server | None = None

    def tell(self, text: str) -> None:
        """A line for the log."""
        self.log(text.encode("utf-8", "replace"))

    def prepare(self) -> str:
        """Load what is needed; why there can be no TLS, or ""."""
        if ucspi_tls.offered(self.env):
            return ""
        from qmailpy.serve.tls import material
        from qmailpy.unix.tls import Failed
        from qmailpy.unix.tls_server import Server

        try:
            self._server = Server(material(self.home, self.values, ask_clients=True), self.tell)
        except Failed as problem:
            self.tell(f"tls: {problem.reason}")
            return problem.reason
        return ""

    def start(self, connection: Connection) -> Secured | None:
        """Begin TLS; None: it has failed."""
        if self._server is None:
            return self._let_listener(connection)
        from qmailpy.serve.tls import secure
        from qmailpy.unix.tls import Failed
        from qmailpy.unix.tls_server import addresses

        try:
            engine = secure(connection, self._server).engine
        except Failed as problem:
            self.tell(f"tls: handshake with {self.env.get('TCPREMOTEIP', 'unknown')} failed: {problem.reason}")
            return None
        certificate = engine.session.get_peer_certificate(as_cryptography=True)
        trouble = self._server.verdict.trouble
        if "CRL" in trouble:
            self.tell(f"tls: no client certificate is good: {trouble}")
        return Secured(engine.cipher(), shown=certificate is not None, trouble=trouble, addresses=tuple(addresses(certificate)) if certificate else ())

    def _let_listener(self, connection: Connection) -> Secured | None:
        connection.flush()
        try:
            ucspi_tls.begin(self.env, connection.source, connection.target)
        except OSError as problem:
            self.tell(f"tls: the listener cannot do it: {wording(problem.errno)}")
            return None
        return Secured()
