"""A server's side of TLS in memory: certificates by name, certificates of clients, old parameters, files that are wrong."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from qmailpy.unix.tls import Engine, Failed
from qmailpy.unix.tls_server import Material, Server, addresses
from tests.pki import Authority, dh_parameters


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("mx.example", dns=["mx.example"])


class Files:
    """A folder of certificates, and what is told about it."""

    def __init__(self, path):
        self.path, self.told = path, []

    def put(self, **files):
        for name, text in files.items():
            (self.path / f"{name}.pem").write_text(text)

    def material(self, *words, **paths):
        given = {name: str(self.path / f"{value}.pem") if isinstance(value, str) else tuple(str(self.path / f"{one}.pem") for one in value)
                 for name, value in paths.items()}
        return Material(str(self.path / "servercert.pem"), str(self.path / "servercerts"), list(words), **given)

    def server(self, *words, **paths):
        return Server(self.material(*words, **paths), self.told.append)


@pytest.fixture
def files(tmp_path, certificate):
    found = Files(tmp_path)
    found.put(servercert=certificate.pem)
    return found


def meet(server, *, name=None, shown=None, version=SSL.TLS1_3_VERSION, ciphers=b"DEFAULT"):
    """A client's and the server's session after the handshake.  Raises Failed."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(ciphers)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    if shown:
        context.use_certificate(shown.certificate)
        context.use_privatekey(shown.private)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    if name is not None:
        client.set_tlsext_host_name(name)
    mine, theirs = Engine(client), server.layer(0, 1).engine
    complete = False
    while not complete:
        complete = mine.handshake()
        theirs.put(mine.take())
        complete = theirs.handshake() and complete
        mine.put(theirs.take())
    return client, theirs.session


def subject(session):
    return session.get_peer_certificate(as_cryptography=True).subject.rfc4514_string()


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_the_certificate_is_shown(files, version):
    client, _ = meet(files.server(), version=version)
    assert "CN=mx.example" in subject(client)
    assert files.told == []


def test_the_whole_chain_is_shown(files, authority):
    middle = Authority("Middle", above=authority)
    files.put(servercert=(leaf := middle.issue("leaf")).cert + middle.cert + leaf.key)
    client, _ = meet(files.server())
    assert len(client.get_peer_cert_chain(as_cryptography=True)) == 2


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()], ids=["RSA", "Ed25519"])
def test_kinds_of_keys(files, authority, key):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        files.put(servercert=authority.issue("other", key=key).pem)
    else:  # the form that openssl wrote for long, and the key first
        issued = authority.issue("other", key=key)
        files.put(servercert=key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode() + "words\n" + issued.cert)
    assert "CN=other" in subject(meet(files.server())[0])


def secret(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")).decode()


@pytest.mark.parametrize(("content", "why"), [
    (lambda one, other: "", "no certificate in it"),
    (lambda one, other: one.key, "no certificate in it"),
    (lambda one, other: one.cert, "no private key in it, or one under a password"),
    (lambda one, other: one.cert + secret(one.private), "no private key in it, or one under a password"),
    (lambda one, other: one.cert + x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
     "no private key in it, or one under a password"),
    (lambda one, other: one.cert + other.key, "key values mismatch"),
    (lambda one, other: one.cert[:200] + one.key, "no certificate in it"),
])
def test_what_is_no_certificate_with_its_key(files, authority, certificate, content, why):
    files.put(servercert=content(certificate, authority.issue("other")))
    with pytest.raises(Failed) as failed:
        files.server()
    assert failed.value.reason == f"servercert.pem cannot be used: {why}"


def test_files_that_cannot_be_read(files):
    (files.path / "servercert.pem").unlink()
    with pytest.raises(Failed, match="there is no servercert.pem"):
        files.server()
    (files.path / "servercert.pem").mkdir()
    with pytest.raises(Failed, match="unable to read servercert.pem: is a directory"):
        files.server()


@pytest.mark.parametrize(("asked", "shown"), [
    (b"other.example", "other"), (b"OTHER.example", "other"), (b"mx.example", "mx.example"), (b"unknown.example", "mx.example"), (None, "mx.example"),
    (b"../servercerts/other.example", "mx.example"), (b".hidden", "mx.example"), (b"bad.example", "mx.example"), (b"o\xff", "mx.example"),
])
@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_a_certificate_for_each_name(files, authority, asked, shown, version):
    (files.path / "servercerts").mkdir()
    for name in ("other.example", ".hidden"):
        (files.path / f"servercerts/{name}.pem").write_text(authority.issue("other").pem)
    (files.path / "servercerts/bad.example.pem").write_text("")
    client, _ = meet(files.server(), name=asked, version=version)
    assert f"CN={shown}" in subject(client)
    assert files.told == (["tls: bad.example.pem cannot be used: no certificate in it"] if asked == b"bad.example" else [])


def asking(files, authority, **more):
    files.put(clientca=authority.cert)
    return files.server(authorities="clientca", **more)


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
@pytest.mark.parametrize(("make", "trouble"), [
    (lambda good, rogue: good.issue("bob"), ""),
    (lambda good, rogue: good.issue("bob", self_signed=True), "self-signed certificate"),
    (lambda good, rogue: rogue.issue("bob"), "unable to get local issuer certificate"),
    (lambda good, rogue: good.issue("bob", days=-1), "certificate has expired"),
])
def test_verdicts_about_clients(files, authority, make, trouble, version):
    server = asking(files, authority)
    _, session = meet(server, shown=make(authority, Authority("Rogue")), version=version)
    assert "CN=bob" in subject(session)
    assert server.verdict.trouble == trouble


def test_a_client_need_not_have_a_certificate(files, authority):
    server = asking(files, authority)
    client, session = meet(server)
    assert session.get_peer_certificate() is None
    assert server.verdict.trouble == ""
    assert client.get_client_ca_list()[0].CN == "Authority"


def test_clients_are_not_asked_without_authorities(files, authority):
    _, session = meet(files.server(), shown=authority.issue("bob"))
    assert session.get_peer_certificate() is None


@pytest.mark.parametrize(("days", "revoked", "trouble"), [
    (2, False, ""), (2, True, "certificate revoked"), (-1, False, "CRL has expired"),
])
def test_revocation(files, days, revoked, trouble):
    authority = Authority()
    bob = authority.issue("bob")
    if revoked:
        authority.revoke(bob)
    other = Authority("Other")
    files.put(clientcrl=other.crl() + authority.crl(days))  # several lists in one file
    server = asking(files, authority, revoked="clientcrl")
    meet(server, shown=bob)
    assert server.verdict.trouble == trouble


def test_a_revocation_list_that_cannot_be_read_lets_nobody_in(files, authority):
    files.put(clientcrl="nonsense\n")
    server = asking(files, authority, revoked="clientcrl")
    meet(server, shown=authority.issue("bob"))
    assert server.verdict.trouble == "unable to get certificate CRL"
    assert files.told[0].startswith("tls: clientcrl.pem cannot be used: ")


def test_authorities_that_cannot_be_read_let_nobody_in(files, authority):
    files.put(clientca="nonsense\n")
    server = files.server(authorities="clientca")
    _, session = meet(server, shown=authority.issue("bob"))
    assert session.get_peer_certificate() is None
    assert files.told[0].startswith("tls: clientca.pem cannot be used: ")


@pytest.mark.parametrize(("given", "words", "told"), [
    ({}, [], []),
    ({"dh2048": 2048}, [], []),
    ({"dh2048": 2048, "dh1024": 1024, "rsa512": 0}, [], []),
    ({"dh1024": 2048}, [], []),
    ({"dh1024": 1024}, [], ["tls: ignoring weak dh1024.pem (1024 bits)"]),
    ({"dh1024": 1024, "dh512": 512, "rsa512": 0}, [], ["tls: ignoring weak dh1024.pem (1024 bits), weak dh512.pem, weak rsa512.pem"]),
    ({"dh2048": 0, "dh1024": 2048}, [], []),
    ({"dh2048": 0}, [], ["tls: ignoring damaged dh2048.pem"]),
    ({"dh1024": 1024}, [b"DEFAULT:@SECLEVEL=0"], []),
    ({"dh1024": 512}, [b"DEFAULT:@SECLEVEL=0"], ["tls: ignoring weak dh1024.pem (512 bits)"]),
])
def test_parameters_for_key_exchange(files, given, words, told):
    files.put(**{name: dh_parameters(bits) if bits else "nonsense\n" for name, bits in given.items()})
    server = files.server(*words, parameters=("dh2048", "dh1024"), outdated=("dh512", "rsa512"))
    assert files.told == told
    meet(server, version=SSL.TLS1_2_VERSION)


@pytest.mark.parametrize(("given", "found"), [
    ({}, []), ({"email": "bob@x.example"}, [b"bob@x.example"]), ({"other_email": "bob@x.example"}, [b"bob@x.example"]),
    ({"email": "bob@x.example", "other_email": "ann@x.example", "dns": ["x.example"]}, [b"bob@x.example", b"ann@x.example"]),
    ({"email": "b\u00f6b@x.example"}, ["b\u00f6b@x.example".encode()]), ({"dns": ["x.example"]}, []),
])
def test_addresses(authority, given, found):
    assert list(addresses(authority.issue("bob", **given).certificate)) == found


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10000), st.binary(min_size=1, max_size=4)), max_size=4), st.binary(max_size=50), st.integers(1, 600))
def test_a_handshake_with_anything_in_it_fails_or_goes_on(files, authority, changes, more, step):
    """A true beginning with some bytes changed, others behind it, in pieces: nothing but Failed is ever raised."""
    client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
    client.set_connect_state()
    client.set_tlsext_host_name(b"mx.example")
    mine, theirs = Engine(client), asking(files, authority).layer(0, 1).engine
    mine.handshake()
    hello = mine.take()
    for at, piece in changes:
        at %= len(hello)
        hello = hello[:at] + piece + hello[at + len(piece):]
    hello += more
    try:
        for at in range(0, len(hello), step):
            theirs.put(hello[at:at + step])
            assert not theirs.handshake()
    except Failed as problem:
        assert problem.reason.isascii()
