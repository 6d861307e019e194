"""Keys, certificates and requests."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from qmailpy.serve.certificate import Holder, new_key, request, self_signed, text_of
from qmailpy.unix.tls_server import private_key

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


def names(holder):
    """(common name, DNS names, addresses) in what is made, certificate or request."""
    found = holder.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return ([field.value for field in holder.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)], found.get_values_for_type(x509.DNSName),
            found.get_values_for_type(x509.RFC822Name))


@pytest.mark.parametrize(("elliptic", "kind", "size"), [(False, rsa.RSAPrivateKey, 2048), (True, ec.EllipticCurvePrivateKey, 256)])
def test_keys_and_what_they_sign(elliptic, kind, size):
    key = new_key(elliptic=elliptic)
    assert isinstance(key, kind)
    assert key.key_size == size
    made = x509.load_pem_x509_certificate(self_signed(key, Holder(["mx.example", "mail.example"], "bob@x.example"), 366, NOW))
    assert names(made) == (["mx.example"], ["mx.example", "mail.example"], ["bob@x.example"])
    assert made.subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS)[0].value == "bob@x.example"
    assert made.not_valid_after_utc == NOW + datetime.timedelta(days=366)
    assert made.not_valid_before_utc < NOW
    assert made.signature_hash_algorithm.name == "sha256"
    made.verify_directly_issued_by(made)
    asked = x509.load_pem_x509_csr(request(key, Holder(["mx.example"])))
    assert asked.is_signature_valid
    assert names(asked) == (["mx.example"], ["mx.example"], [])
    assert private_key(text_of(key)).private_numbers() == key.private_numbers()


def test_a_key_that_was_brought_along():
    key = ed25519.Ed25519PrivateKey.generate()
    assert x509.load_pem_x509_csr(request(key, Holder(["mx.example"]))).is_signature_valid


def test_a_long_name_stands_where_it_has_room():
    long = ".".join(["a" * 30] * 4)
    assert names(x509.load_pem_x509_csr(request(new_key(elliptic=True), Holder([long])))) == ([], [long], [])


@pytest.mark.parametrize("holder", [Holder(["b\u00fccher.example"]), Holder(["mx.example"], "b\u00f6b@x.example")])
def test_what_cannot_be_a_name(holder):
    with pytest.raises(ValueError, match="."):
        self_signed(new_key(elliptic=True), holder, 1, NOW)
