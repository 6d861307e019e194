"""The client's side of TLS: a stream within it, and the proof that a server is the right one (aio: TLS in qmail-remote)."""

from __future__ import annotations

import errno

from cryptography import x509
from OpenSSL import SSL, crypto

from qmailpy.text.certname import objection
from qmailpy.unix.files import contents
from qmailpy.unix.net import TlsFailed, trouble
from qmailpy.unix.tls import RECORD, Engine, Failed, Verdict, new_context, reason
from qmailpy.unix.tls_server import identify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.unix.net import Stream

REVOCATION_LIST = b"-----BEGIN X509 CRL-----"


class TlsStream:
    """A stream within TLS; has the methods of the one below.  What goes wrong in it is an OSError."""

    __slots__ = ("below", "engine")

    def __init__(self, below: Stream, engine: Engine) -> None:
        self.below, self.engine = below, engine

    def handshake(self) -> None:
        """Begin.  Raises TlsFailed."""
        try:
            while not self.engine.handshake():
                self._exchange()
            self._flush()
        except Failed as problem:
            self._last_words()
            raise TlsFailed(f"TLS connect failed: {problem.reason}") from None
        except OSError as problem:
            raise TlsFailed(f"TLS connect failed: {trouble(problem)}") from None

    def send(self, data: bytes) -> None:
        """Send everything."""
        for at in range(0, len(data), RECORD):
            self.engine.encrypt(data[at:at + RECORD])
        self._flush()

    def receive(self) -> bytes:
        """What comes next; empty at the end."""
        try:
            while (data := self.engine.decrypt()) is None:
                self._exchange()
            return data
        except Failed:
            self._last_words()
            raise

    def within(self, seconds: float) -> None:
        """From now on every read and write of the stream below ends within so many seconds.  Raises TimeoutError if there is no time left."""
        self.below.within(seconds)

    def close(self) -> None:
        """Take leave, and hang up."""
        try:
            self.engine.farewell()
        except Failed:
            pass
        self._last_words()
        self.below.close()

    def _exchange(self) -> None:
        """Send what TLS has to say, and give it what comes.  Raises OSError, also at the end: there would have been a farewell."""
        self._flush()
        data = self.below.receive()
        if not data:
            raise ConnectionResetError("the server hung up")
        self.engine.put(data)

    def _flush(self) -> None:
        if data := self.engine.take():
            self.below.send(data)

    def _last_words(self) -> None:
        """Tell the other side why there is no going on."""
        try:
            self._flush()
        except OSError:
            pass


class Demand:
    """What a server has to prove.

    path   the PEM file with the authorities' certificates, or the server's own, and perhaps their revocation lists
    shown  how reports call that file
    """

    __slots__ = ("path", "shown")

    def __init__(self, path: str, shown: str) -> None:
        self.path, self.shown = path, shown


class TlsClient:
    """What is needed to begin TLS with a server; made before the server is asked to begin.

    name         the server's: it is told to it, and must be in its certificate; may be an IP address, or ""
    demand       what the server has to prove; None: nothing
    certificate  path of the certificate and key that it is shown if it asks; "": none
    words        lines that name ciphers

    Raises TlsFailed if the demand's file cannot be used.  What is wrong with the others is told in `notes`.
    """

    __slots__ = ("notes", "_context", "_name", "_demand", "_verdict")

    def __init__(self, name: str, demand: Demand | None, certificate: str, words: list[bytes]) -> None:
        self.notes: list[str] = []
        self._name, self._demand, self._verdict = name, demand, Verdict()
        self._context = new_context(words, lambda text: self.notes.append("control/tlsclientciphers makes no sense, DEFAULT was used instead"))
        if certificate:
            try:
                identify(self._context, certificate)
            except Failed as problem:
                self.notes.append(f"control/clientcert.pem was not shown: {problem.reason}")
        if demand is not None:
            self._set_authorities(demand)

    def begin(self, stream: Stream) -> TlsStream:
        """TLS on a stream.  Raises TlsFailed."""
        session = SSL.Connection(self._context, None)
        session.set_connect_state()
        if self._name and not is_address(self._name):
            session.set_tlsext_host_name(self._name.encode())
        encrypted = TlsStream(stream, Engine(session))
        encrypted.handshake()
        if self._demand is not None:
            self._verify(self._demand, session)
        return encrypted

    def _set_authorities(self, demand: Demand) -> None:
        """Be ready to verify what the server shows.  Raises TlsFailed."""
        try:
            data = contents(demand.path)
            if data is None:
                raise FileNotFoundError(errno.ENOENT, "")
            self._context.load_verify_locations(demand.path)
        except OSError as problem:
            raise TlsFailed(f"TLS unable to load {demand.shown}: {trouble(problem)}", begun=False) from None
        except SSL.Error as problem:
            raise TlsFailed(f"TLS unable to load {demand.shown}: {reason(problem)}", begun=False) from None
        self._context.set_verify(SSL.VERIFY_PEER, self._verdict)
        store = self._context.get_cert_store()
        assert store is not None
        # The server's own certificate is good enough, whoever has issued it: that is what the file says.
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN | (crypto.X509StoreFlags.CRL_CHECK if REVOCATION_LIST in data else 0))

    def _verify(self, demand: Demand, session: SSL.Connection) -> None:
        """See who the server is.  Raises TlsFailed."""
        if self._verdict.trouble:
            raise TlsFailed(f"TLS unable to verify server with {demand.shown}: {self._verdict.trouble}")
        try:
            certificate = session.get_peer_certificate(as_cryptography=True)
            why = "no certificate provided" if certificate is None else objection(self._name, *names(certificate))
        except ValueError:
            why = "certificate cannot be understood"
        if why:
            raise TlsFailed(f"TLS unable to verify server {self._name}: {why}")


def names(certificate: x509.Certificate) -> tuple[list[str], str]:
    """The DNS names in a certificate's subjectAltName, and its common name or "".  Raises ValueError."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        alternatives = []
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return alternatives, str(common[0].value) if common else ""


def is_address(name: str) -> bool:
    """Whether a host's name is an IP address (RFC 6066 section 3 wants none)."""
    return ":" in name or name.rpartition(".")[2].isdigit()
