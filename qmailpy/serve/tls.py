"""TLS as the control files want it, for servers: SMTP and POP3 (aio: TLS in qmail-smtpd)."""

from __future__ import annotations

from qmailpy.unix.connection import Gone
from qmailpy.unix.fds import TimedOut
from qmailpy.unix.tls import Failed
from qmailpy.unix.tls_server import Material, Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.home import Home
    from qmailpy.settings.load import Values
    from qmailpy.unix.connection import Connection
    from qmailpy.unix.tls import Layer


def material(home: Home, values: Values, *, ask_clients: bool = False) -> Material:
    """The files and words that TLS is made of; with `ask_clients`, clients are asked for certificates where these could let them relay."""
    def place(name: str) -> str:
        return home.at("control", name)

    asked = ask_clients and values.known("clientca.pem") and values.known("tlsclients")
    return Material(place("servercert.pem"), place("servercerts"), values.list("tlsserverciphers") or [],
                    authorities=place("clientca.pem") if asked else None,
                    revoked=place("clientcrl.pem") if asked and values.known("clientcrl.pem") else None,
                    parameters=(place("dh2048.pem"), place("dh1024.pem")), outdated=(place("dh512.pem"), place("rsa512.pem")))


def secure(connection: Connection, server: Server) -> Layer:
    """Send what was said so far, and begin TLS; from now on nothing can be said in clear, whatever happens.

    Raises Failed, in time.
    """
    connection.flush()
    connection.channel = layer = server.layer(connection.source, connection.target)
    try:
        layer.handshake(connection.timeout)
    except Failed:
        raise
    except TimedOut:
        raise Failed("timed out") from None
    except Gone:
        raise Failed("the client has gone") from None
    return layer
