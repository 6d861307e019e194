"""Certificates for tests: authorities, what they issue, and lists of what they have revoked."""

import base64
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
# Primes of RFC 2409 and RFC 7919: the only lengths that a library must take.
PRIMES = {
    1024: "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
          "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
          "49286651ECE65381FFFFFFFFFFFFFFFF",
    2048: "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8"
          "F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE872"
          "1DF158A136ADE73530ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB19"
          "0B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F619172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005"
          "C58EF1837D1683B2C6F34A26C1B2EFFA886B423861285C97FFFFFFFFFFFFFFFF",
}
PEM = serialization.Encoding.PEM


class Issued:
    """A certificate: `cert` and `key` as PEM text, `pem` both."""

    def __init__(self, certificate, key):
        self.certificate, self.private = certificate, key
        self.key = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        self.cert = certificate.public_bytes(PEM).decode()
        self.pem = self.cert + self.key


class Authority:
    """A certificate authority; `cert` is its certificate as PEM text."""

    def __init__(self, name="Authority", above=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.revoked = []
        builder = self.begin(self.name, self.key, 2).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = (above or self).sign(builder)
        self.cert = self.certificate.public_bytes(PEM).decode()

    def begin(self, subject, key, days):
        """A certificate before it is signed; with negative days it was good long ago."""
        start = NOW - DAY if days > 0 else NOW + 2 * days * DAY
        return (x509.CertificateBuilder().subject_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(start).not_valid_after(NOW + days * DAY))

    def sign(self, builder):
        """The certificate."""
        return builder.issuer_name(self.name).sign(self.key, hashes.SHA256())

    def issue(self, common=None, *, dns=(), email=None, other_email=None, days=2, self_signed=False, key=None, purpose=None):
        """Issue a certificate; `email` stands in the subject, `other_email` among the alternative names; `purpose` is all it is good for."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        fields = [(x509.NameOID.ORGANIZATION_NAME, "test"), (x509.NameOID.COMMON_NAME, common), (x509.NameOID.EMAIL_ADDRESS, email)]
        subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in fields if value is not None])
        builder = self.begin(subject, key, days)
        names = [x509.DNSName(name) for name in dns] + ([x509.RFC822Name(other_email)] if other_email else [])
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        if self_signed:
            return Issued(builder.issuer_name(subject).sign(key, hashes.SHA256()), key)
        return Issued(self.sign(builder), key)

    def revoke(self, issued):
        """Take a certificate back."""
        self.revoked.append(issued.certificate.serial_number)
        return issued

    def crl(self, days=2):
        """The list of what was revoked, as PEM text; with negative days it has expired."""
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW + min(2 * days, -1) * DAY).next_update(NOW + days * DAY))
        for serial in self.revoked:
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM).decode()


def der(kind, content):
    """A DER element."""
    length = len(content)
    size = bytes([length]) if length < 128 else bytes([0x82]) + length.to_bytes(2, "big")
    return bytes([kind]) + size + content


def dh_parameters(bits):
    """DH parameters of that length as PEM text."""
    prime = int(PRIMES[bits], 16) if bits in PRIMES else (1 << (bits - 1)) | 5
    content = der(0x30, der(2, prime.to_bytes(bits // 8 + 1, "big")) + der(2, b"\x02"))
    return f"-----BEGIN DH PARAMETERS-----\n{base64.encodebytes(content).decode()}-----END DH PARAMETERS-----\n"
