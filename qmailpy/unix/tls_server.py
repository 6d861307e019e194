"""The server's side of TLS: its certificate, one for each name that clients ask for, and certificates of clients (aio: TLS in qmail-smtpd)."""

from __future__ import annotations

import os

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from qmailpy.errnotext import wording
from qmailpy.exits import bug, retire
from qmailpy.text.ciphers import ciphers
from qmailpy.text.pem import dh_bits
from qmailpy.unix.files import contents
from qmailpy.unix.tls import Failed, Layer, Verdict, new_context, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789-."
ENOUGH, LEAST = 2048, 1024  # bits of DH parameters: always, and where the administrator has lowered the security level


class Material:
    """What a server's TLS is made of: paths, and words for ciphers.

    certificate  chain and key, in one file
    names        a folder of more of these, NAME.pem for clients that ask for NAME; it need not be there
    authorities  certificates that those of clients are verified with; None: clients are not asked
    revoked      revocation lists; None: there are none
    words        lines that name ciphers
    parameters   for DHE, the first good one counts; outdated: files that are there in the old days' way, and are not used
    """

    __slots__ = ("certificate", "names", "authorities", "revoked", "words", "parameters", "outdated")

    def __init__(self, certificate: str, names: str, words: list[bytes], *, authorities: str | None = None, revoked: str | None = None,
                 parameters: tuple[str, ...] = (), outdated: tuple[str, ...] = ()) -> None:
        self.certificate, self.names, self.words = certificate, names, words
        self.authorities, self.revoked, self.parameters, self.outdated = authorities, revoked, parameters, outdated


class Server:
    """A server's side of one session.  Making one loads everything, and raises Failed if there can be no TLS.

    tell  gets a sentence for each thing that is not as the administrator wants it
    """

    __slots__ = ("material", "tell", "verdict", "_contexts")

    def __init__(self, material: Material, tell: Callable[[str], object]) -> None:
        self.material, self.tell, self.verdict = material, tell, Verdict()
        self._contexts = [self._context(material.certificate, tell)]
        if os.path.isdir(material.names):
            self._contexts[0].set_tlsext_servername_callback(self._called)

    def layer(self, source: int, target: int) -> Layer:
        """TLS on these descriptors, before the handshake."""
        session = SSL.Connection(self._contexts[0], None)
        session.set_accept_state()
        return Layer(session, source, target)

    def _context(self, path: str, tell: Callable[[str], object]) -> SSL.Context:
        context = new_context(self.material.words, tell)
        identify(context, path)
        self._parameters(context, tell)
        if self.material.authorities is not None:
            self._ask_clients(context, self.material.authorities, tell)
        return context

    def _called(self, session: SSL.Connection) -> None:
        """The client asks for a name: let the certificate be that name's, if there is one."""
        name = (session.get_servername() or b"").lower()
        if not name or name.startswith(b".") or name.strip(NAME_BYTES):
            return
        path = f"{self.material.names}/{name.decode('ascii')}.pem"
        if not os.path.exists(path):
            return
        try:
            self._contexts.append(self._context(path, lambda text: None))
            session.set_context(self._contexts[-1])
        except Failed as problem:
            self.tell(f"tls: {problem.reason}")
        except Exception as problem:  # noqa: BLE001 (a bug: the library would print a trace where we may not write)
            self.tell(f"tls: {bug(problem)}")

    def _parameters(self, context: SSL.Context, tell: Callable[[str], object]) -> None:
        """Let DHE be used with the first parameters that are long enough; none are no harm."""
        least = LEAST if ciphers(self.material.words).weak else ENOUGH
        passed_over = []
        for path in self.material.parameters:
            bits = bits_in(path)
            if bits and bits >= least:
                try:
                    context.load_tmp_dh(path)
                except SSL.Error:
                    bits = 0
                else:
                    return
            if bits is not None:
                passed_over.append(f"weak {os.path.basename(path)} ({bits} bits)" if bits else f"damaged {os.path.basename(path)}")
        passed_over += [f"weak {os.path.basename(path)}" for path in self.material.outdated if os.path.exists(path)]
        if passed_over:
            tell(f"tls: ignoring {', '.join(passed_over)}")

    def _ask_clients(self, context: SSL.Context, authorities: str, tell: Callable[[str], object]) -> None:
        """Ask clients for a certificate, which they need not have.  What protects and cannot be read makes every certificate a bad one."""
        try:
            context.load_verify_locations(authorities)
            context.load_client_ca(os.fsencode(authorities))
        except SSL.Error as problem:
            tell(f"tls: {os.path.basename(authorities)} cannot be used: {reason(problem)}")
            return
        if self.material.revoked is not None:
            store = context.get_cert_store()
            assert store is not None
            store.set_flags(crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL)
            try:
                store.load_locations(self.material.revoked)
            except crypto.Error as problem:
                tell(f"tls: {os.path.basename(self.material.revoked)} cannot be used: {reason(problem)}")
        context.set_verify(SSL.VERIFY_PEER, self.verdict)


def identify(context: SSL.Context, path: str) -> None:
    """Give a context the certificate chain and the key in a file.  Raises Failed."""
    name = os.path.basename(path)
    try:
        data = contents(path)
    except OSError as problem:
        raise Failed(f"unable to read {name}: {wording(problem.errno)}") from None
    if data is None:
        raise Failed(f"there is no {name}")
    retire("a private key")
    present(context, data, name)


def present(context: SSL.Context, data: bytes, name: str) -> None:
    """The same with what is in it; `name` is what it is called where it cannot be used.  Raises Failed."""
    try:
        first, *others = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise Failed(f"{name} cannot be used: no certificate in it") from None
    key = private_key(data)
    if key is None:
        raise Failed(f"{name} cannot be used: no private key in it, or one under a password")
    try:
        context.use_certificate(first)
        context.use_privatekey(key)
        for one in others:
            context.add_extra_chain_cert(one)
        context.check_privatekey()
    except SSL.Error as problem:
        raise Failed(f"{name} cannot be used: {reason(problem)}") from None


def private_key(data: bytes) -> RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | None:
    """The private key in PEM text; None if there is none that is open and good for certificates."""
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey) else None


def bits_in(path: str) -> int | None:
    """The bits of the DH parameters in a file; 0 if there are none in it, None if there is no such file."""
    try:
        data = contents(path)
    except OSError:
        return 0
    return None if data is None else dh_bits(data) or 0


def addresses(certificate: x509.Certificate) -> Iterator[bytes]:
    """The e-mail addresses that a certificate bears: the first of the subject, then those of its alternative names."""
    try:
        for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS)[:1]:
            yield str(attribute.value).encode()
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        for address in extension.value.get_values_for_type(x509.RFC822Name):
            yield address.encode()
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return
