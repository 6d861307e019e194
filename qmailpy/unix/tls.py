"""TLS over two descriptors, which may be pipes: what the sides of a server and of a client share (pyOpenSSL, with memory BIOs).

Importing this costs a tenth of a second, so it is imported when TLS begins.
"""

from __future__ import annotations

import socket
import time

from OpenSSL import SSL

from qmailpy.text.ciphers import Ciphers, ciphers
from qmailpy.unix.connection import Gone, Plain
from qmailpy.unix.fds import BLOCK, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from OpenSSL import crypto

    Done = TypeVar("Done")

RECORD = 16384  # most bytes that one record of TLS carries
FRUITLESS = 256 << 10  # bytes from the other side that may lead to no data: a handshake with a long chain needs 100 KiB
FAREWELL = 5  # seconds for the last record

# What OpenSSL calls the faults of certificates that are met in practice (X509_STORE_CTX_get_error(3)).
FAULTS = {
    2: "unable to get issuer certificate", 3: "unable to get certificate CRL", 7: "certificate signature failure", 8: "CRL signature failure",
    9: "certificate is not yet valid", 10: "certificate has expired", 11: "CRL is not yet valid", 12: "CRL has expired",
    18: "self-signed certificate", 19: "self-signed certificate in certificate chain", 20: "unable to get local issuer certificate",
    21: "unable to verify the first certificate", 22: "certificate chain too long", 23: "certificate revoked", 24: "invalid CA certificate",
    25: "path length constraint exceeded", 26: "unsuitable certificate purpose", 28: "certificate rejected", 44: "different CRL scope",
    66: "EE certificate key too weak", 67: "CA certificate key too weak", 68: "CA signature digest algorithm too weak",
}


class Failed(Gone):
    """TLS cannot go on; `reason` is what the library says, in a few words that no stranger has chosen."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reason(problem: Exception) -> str:
    """What the library says of a failure."""
    queue = problem.args[0] if problem.args else None
    if isinstance(queue, list) and queue:
        return str(queue[-1][-1]) or "no reason given"
    return "the connection broke" if isinstance(problem, SSL.SysCallError) else "no reason given"


class Closed(Failed):
    """The other side has said that nothing more will come."""


class Verdict:
    """What is wrong with the other side's certificate: `trouble` is the first fault, "" if there is none.

    To be given to Context.set_verify.  It lets every handshake go on, so that what to do is decided afterwards.
    """

    __slots__ = ("trouble",)

    def __init__(self) -> None:
        self.trouble = ""

    def __call__(self, session: SSL.Connection, certificate: crypto.X509, number: int, depth: int, good: int) -> bool:
        if not good and not self.trouble:
            self.trouble = FAULTS.get(number, f"certificate fault {number}")
        return True


def new_context(words: list[bytes], tell: Callable[[str], object]) -> SSL.Context:
    """A context for one session: TLS 1.2 and 1.3, nothing kept for later sessions.

    words  lines of a control file that name ciphers; what cannot be used is told to `tell`, and the library's default is taken
    """
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_NO_TICKET | SSL.OP_SINGLE_DH_USE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    chosen = ciphers(words)
    try:
        choose(context, chosen)
    except SSL.Error as problem:
        tell(f"tls: ciphers cannot be used, DEFAULT is: {reason(problem)}")
        chosen = ciphers(())
        choose(context, chosen)
    context.set_min_proto_version(SSL.TLS1_3_VERSION if not chosen.older else SSL.TLS1_VERSION if chosen.weak else SSL.TLS1_2_VERSION)
    return context


def choose(context: SSL.Context, chosen: Ciphers) -> None:
    """Let a context use these ciphers.  Raises SSL.Error if the library knows none of them."""
    context.set_cipher_list(chosen.older or ciphers(()).older)
    if chosen.newer:
        context.set_tls13_ciphersuites(chosen.newer)


class Engine:
    """One side of a TLS session without any input or output: the caller moves the bytes.  All raise Failed."""

    __slots__ = ("session", "_fruitless")

    def __init__(self, session: SSL.Connection) -> None:
        self.session = session
        self._fruitless = 0

    def put(self, data: bytes) -> None:
        """Take bytes that the other side has sent.  Who sends many that lead to no data (renegotiations, new keys) is cut off."""
        self._fruitless += len(data)
        if self._fruitless > FRUITLESS:
            raise Failed("much was sent, and no data")
        if data:
            self.session.bio_write(data)

    def take(self) -> bytes:
        """The bytes for the other side."""
        parts = []
        try:
            while True:
                parts.append(self.session.bio_read(BLOCK))
        except SSL.WantReadError:
            return b"".join(parts)

    def handshake(self) -> bool:
        """Go on with the handshake; whether it is complete."""
        def complete() -> bool:
            self.session.do_handshake()
            return True

        return self._work(complete) or False

    def decrypt(self, most: int = BLOCK) -> bytes | None:
        """What the other side says; b"" at its end; None: more must come first."""
        try:
            data = self._work(lambda: self.session.recv(most))
        except Closed:
            return b""
        if data:
            self._fruitless = 0
        return data

    def waits(self) -> bool:
        """Whether `decrypt` has something to give, or has come to the end."""
        try:
            return self._work(lambda: self.session.recv(1, socket.MSG_PEEK)) is not None
        except Closed:
            return True

    def encrypt(self, data: bytes) -> None:
        """Say something, after the handshake."""
        if data and self._work(lambda: self.session.send(data)) != len(data):
            raise Failed("data before the handshake")

    def farewell(self) -> None:
        """Say that nothing more will come."""
        self._work(self.session.shutdown)

    def cipher(self) -> bytes:
        """The name of the cipher in use."""
        return (self.session.get_cipher_name() or "").encode("ascii", "replace")

    @staticmethod
    def _work(call: Callable[[], Done]) -> Done | None:
        """What the library gives; None: it wants more from the other side."""
        try:
            return call()
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            raise Closed("nothing more will come") from None
        except SSL.Error as problem:
            raise Failed(reason(problem)) from None


class Layer:
    """TLS on two descriptors (a Channel, unix/connection.py).

    `handshake` comes first; it, `read` and `write` raise TimedOut, and Gone (Failed where TLS is at fault) if there is no going on.
    After that nothing more is said or heard.
    """

    __slots__ = ("engine", "below", "_open")

    def __init__(self, session: SSL.Connection, source: int, target: int) -> None:
        self.engine, self.below = Engine(session), Plain(source, target)
        self._open = False

    def handshake(self, seconds: float) -> None:
        """The whole handshake, within that time."""
        self._carry_out(lambda: self.engine.handshake() or None, time.monotonic() + seconds)
        self._open = True

    def read(self, most: int, seconds: float) -> bytes:
        """What the other side says, at most so many bytes, within that time."""
        self._check()
        data = self._carry_out(lambda: self.engine.decrypt(most), time.monotonic() + seconds)
        if not data:
            raise Gone
        return data

    def ready(self, seconds: float) -> bool:
        """Whether within that time there is something to read, or the end."""
        try:
            self._carry_out(lambda: self.engine.waits() or None, time.monotonic() + seconds)
        except TimedOut:
            return False
        except Gone:
            pass
        return True

    def write(self, data: bytes, seconds: float) -> None:
        """Say it all; `seconds` for each piece that the system takes."""
        self._check()
        for at in range(0, len(data), RECORD):
            self.engine.encrypt(data[at:at + RECORD])
            self._send(seconds)

    def close(self) -> None:
        """Say that nothing more will come; the descriptors stay open."""
        if self._open:
            self._open = False
            try:
                self.engine.farewell()
                self._send(FAREWELL)
            except OSError:
                pass

    def _check(self) -> None:
        if not self._open:
            raise Gone

    def _carry_out(self, work: Callable[[], Done | None], limit: float) -> Done:
        """Do `work` of the engine, moving bytes in and out, until it gives something."""
        try:
            while (done := work()) is None:
                self._send(limit - time.monotonic())
                self.engine.put(self.below.read(BLOCK, limit - time.monotonic()))
            self._send(limit - time.monotonic())
            return done
        except Failed:
            self._open = False
            self._last_words()
            raise

    def _send(self, seconds: float) -> None:
        if data := self.engine.take():
            self.below.write(data, seconds)

    def _last_words(self) -> None:
        """Tell the other side why there is no going on."""
        try:
            self._send(FAREWELL)
        except OSError:
            pass
