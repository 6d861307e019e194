"""What a supervisor does before it forks: import everything that a session may need, and have the libraries do their first work."""

from __future__ import annotations

import gc
import os

import qmailpy
from qmailpy.exits import Temporary
from qmailpy.pool.kind import QUEUE
from qmailpy.unix.memory import tidy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from qmailpy.home import Home
    from qmailpy.pool.kind import Kind
    from qmailpy.unix.tls import Engine

PACKAGES = ("text", "smtp", "smtp.checks", "unix", "settings", "queue", "serve")  # of ours: all that is in them
LIBRARIES = ("cdblib", "dns.resolver", "dns.reversename", "OpenSSL.SSL", "OpenSSL.crypto")
DIALOGUE = b"EHLO pool\r\nRSET\r\nNOOP\r\nHELP\r\nQUIT\r\n"
FLIGHTS = 3  # most messages of each side until a handshake is complete


def warm(home: Home, kind: Kind) -> None:
    """Make this process one that has done it all before.  What it holds now is shared by its children, so it is not collected in them."""
    gc.disable()
    for program in kind.programs:
        load("qmailpy.programs." + program.replace("-", "_"))
    if kind is QUEUE:
        load("qmailpy.unix.together")  # which is imported late, by those who sync
    else:
        for name in (*modules(), *LIBRARIES):
            load(name)
        talk(home)
        shake_hands()
    gc.collect()
    gc.freeze()
    gc.enable()
    tidy()


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
    """Sessions in TLS, in memory: with either kind of key and in either version, since what a library does for the first time takes it a megabyte.

    The keys are made for that and thrown away: those of this host are read by workers that serve nobody else afterwards.
    """
    from OpenSSL import SSL

    from qmailpy.unix.tls import Engine, new_context
    from qmailpy.unix.tls_server import present

    for identity in identities():
        for older in (False, True):
            contexts = new_context([], str), SSL.Context(SSL.TLS_METHOD)
            present(contexts[0], identity, "")
            if older:
                contexts[1].set_options(SSL.OP_NO_TLSv1_3)
            server, client = (Engine(SSL.Connection(context, None)) for context in contexts)
            server.session.set_accept_state()
            client.session.set_connect_state()
            converse(client, server)


def identities() -> Iterator[bytes]:
    """Certificates with their keys that nobody has use for."""
    import datetime

    from qmailpy.serve.certificate import Holder, new_key, self_signed, text_of

    for elliptic in (False, True):
        key = new_key(elliptic=elliptic)
        yield self_signed(key, Holder(["pool"]), 1, datetime.datetime.now(datetime.UTC)) + text_of(key)


def converse(client: Engine, server: Engine) -> None:
    """A handshake, a word, and its answer."""
    for _ in range(FLIGHTS):
        for one, other in ((client, server), (server, client)):
            one.handshake()
            other.put(one.take())
    server.cipher()
    server.session.get_peer_certificate(as_cryptography=True)
    for one, other in ((client, server), (server, client)):
        one.encrypt(b"NOOP\r\n")
        other.put(one.take())
        other.waits()
        other.decrypt()
