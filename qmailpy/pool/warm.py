"""What a supervisor does before it forks: import everything that a session may need, and have the libraries do their first work."""

from __future__ import annotations

import gc
import os

import qmailpy
from qmailpy.exits import Temporary
from qmailpy.pool.kind import QUEUE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qmailpy.home import Home
    from qmailpy.pool.kind import Kind

PACKAGES = ("text", "smtp", "smtp.checks", "unix", "settings", "queue", "serve")  # of ours: all that is in them
LIBRARIES = ("cdblib", "dns.resolver", "dns.reversename", "OpenSSL.SSL", "OpenSSL.crypto")
DIALOGUE = b"EHLO pool\r\nRSET\r\nNOOP\r\nHELP\r\nQUIT\r\n"
ANONYMOUS = b"ADH:AECDH:@SECLEVEL=0"  # ciphers that need no certificate


def warm(home: Home, kind: Kind) -> None:
    """Make this process one that has done it all before.  What it holds now is shared by its children, so it is not collected in them."""
    gc.disable()
    for program in kind.programs:
        load("qmailpy.programs." + program.replace("-", "_"))
    if kind is not QUEUE:
        for name in (*modules(), *LIBRARIES):
            load(name)
        talk(home)
        shake_hands()
    gc.collect()
    gc.freeze()
    gc.enable()


def load(name: str) -> Any:
    """Import a module by its name."""
    return __import__(name, fromlist=["x"])


def modules() -> list[str]:
    """The names of the modules in our packages; the sources lie beside the bundle that they are loaded from."""
    top = os.path.dirname(os.path.abspath(qmailpy.__file__))
    return [f"qmailpy.{package}.{name.removesuffix('.py')}" for package in PACKAGES
            for name in sorted(os.listdir(f"{top}/{package.replace('.', '/')}")) if name.endswith(".py") and name != "__init__.py"]


def talk(home: Home) -> None:
    """A session in clear, in memory."""
    from qmailpy.serve.world import SmtpWorld, client
    from qmailpy.smtp.server import Session
    from qmailpy.unix.connection import Connection

    env = {"GREETDELAY": "0", "HELODELAY": "0", "DATABEFOREGREET": "0"}
    try:
        values = load("qmailpy.programs.qmail_smtpd").settings(home, env)
        session = Session(values, client(env), SmtpWorld(home, env, Connection(-1, -1, 1), values))
        session.greeting()
        for _ in session.feed(DIALOGUE):
            pass
    except (Temporary, OSError):
        pass  # a home without control/me serves nobody anyway


def shake_hands() -> None:
    """A session in TLS, in memory."""
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_METHOD)
    context.set_options(SSL.OP_NO_TLSv1_3)  # which has no anonymous ciphers
    context.set_cipher_list(ANONYMOUS)
    client, server = SSL.Connection(context, None), SSL.Connection(context, None)
    client.set_connect_state()
    server.set_accept_state()
    for _ in range(3):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(one.bio_read(65536))
            except SSL.WantReadError:
                pass
    client.send(b"NOOP\r\n")
    server.bio_write(client.bio_read(65536))
    server.recv(100)
