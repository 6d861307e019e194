"""Keys and certificates for the servers, made here (aio: Certificates and keys)."""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey

BITS, EXPONENT = 2048, 65537
LONGEST = 64  # characters of a common name (RFC 5280); the name that counts stands in subjectAltName
EARLIER = datetime.timedelta(hours=1)  # clocks of others may be slow


class Holder:
    """Who a certificate is for: host names, the first of which is the main one; an e-mail address or ""."""

    __slots__ = ("names", "email")

    def __init__(self, names: Sequence[str], email: str = "") -> None:
        self.names, self.email = names, email

    def subject(self) -> x509.Name:
        """The subject field."""
        fields = [x509.NameAttribute(x509.NameOID.COMMON_NAME, self.names[0])] if len(self.names[0]) <= LONGEST else []
        if self.email:
            fields.append(x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, self.email))
        return x509.Name(fields)

    def alternatives(self) -> x509.SubjectAlternativeName:
        """The names that clients look for.  Raises ValueError if one of them cannot be a name."""
        addresses = [x509.RFC822Name(self.email)] if self.email else []
        return x509.SubjectAlternativeName([*(x509.DNSName(name) for name in self.names), *addresses])


def new_key(*, elliptic: bool) -> Key:
    """A key: RSA, which every client knows, or the quicker P-256."""
    return ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(EXPONENT, BITS)


def self_signed(key: Key, holder: Holder, days: int, now: datetime.datetime) -> bytes:
    """A certificate that vouches for itself, as PEM text.  Raises ValueError."""
    subject = holder.subject()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - EARLIER).not_valid_after(now + datetime.timedelta(days=days))
    builder = builder.add_extension(holder.alternatives(), critical=False).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.sign(key, hash_for(key)).public_bytes(Encoding.PEM)


def request(key: Key, holder: Holder) -> bytes:
    """A request for a certificate, as PEM text.  Raises ValueError."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(holder.subject()).add_extension(holder.alternatives(), critical=False)
    return builder.sign(key, hash_for(key)).public_bytes(Encoding.PEM)


def hash_for(key: Key) -> hashes.SHA256 | None:
    """What a signature with that key is made over; Ed25519 wants no word of ours."""
    return hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None


def text_of(key: Key) -> bytes:
    """A key as PEM text."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
