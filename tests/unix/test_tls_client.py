"""TLS with servers: real ones of the standard library, with certificates of every kind."""

import socket
import ssl

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from qmailpy.unix.net import TlsFailed, connect
from qmailpy.unix.tls_client import Demand, TlsClient
from tests.pki import Authority
from tests.smtpsink import SmtpSink, tls_context

MX = "mx1.d.example"
SHOWN = "control/tlshosts/mx1.d.example.pem"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def pem(tmp_path):
    """Writes a demand's file."""
    def write(text):
        (tmp_path / "demand.pem").write_text(text)
        return Demand(str(tmp_path / "demand.pem"), SHOWN)

    return write


def greeting(client, context, patience=30.0):
    """What a server says within TLS."""
    with SmtpSink(tls=context, implicit=True) as sink:
        stream = connect("127.0.0.1", sink.port, 30, patience)
        try:
            encrypted = client.begin(stream)
            said = encrypted.receive()
            encrypted.send(b"QUIT\r\n")
            encrypted.close()
        finally:
            stream.close()
        greeting.visit = sink.settled()[0]
    return said


def failure(client, context):
    with pytest.raises(TlsFailed) as problem:
        greeting(client, context)
    assert problem.value.begun
    return problem.value.text


def test_without_a_demand_any_certificate_will_do(authority, tmp_path):
    client = TlsClient(MX, None, "", [])
    assert greeting(client, tls_context(tmp_path, authority.issue("other", days=-2, self_signed=True).pem)) == b"220 sink.example\r\n"
    assert (client.notes, greeting.visit.commands, greeting.visit.asked_for) == ([], [b"QUIT\r\n"], MX)


@pytest.mark.parametrize("name", ["", "192.0.2.1", "2001:db8::1"])
def test_a_server_without_a_name_is_told_none(authority, tmp_path, name):
    assert greeting(TlsClient(name, None, "", []), tls_context(tmp_path, authority.issue("x").pem))
    assert greeting.visit.asked_for is None


@pytest.mark.parametrize("names", [{"dns": [MX]}, {"dns": ["other.example", "*.d.example"]}, {"dns": [MX.upper()]}, {"common": MX}, {"common": "other", "dns": [MX]}])
def test_a_server_that_is_who_it_should_be(authority, tmp_path, pem, names):
    assert greeting(TlsClient(MX, pem(authority.cert), "", []), tls_context(tmp_path, authority.issue(**names).pem)).startswith(b"220")


WITH, AS = f"TLS unable to verify server with {SHOWN}: ", f"TLS unable to verify server {MX}: "


@pytest.mark.parametrize(("issued", "words"), [
    ({"common": MX, "dns": [MX], "self_signed": True}, WITH + "self-signed certificate"), ({"common": MX, "dns": [MX], "days": -2}, WITH + "certificate has expired"),
    ({"dns": ["other.example"], "common": MX}, AS + "certificate contains no matching dNSNnames"), ({"dns": ["*.mx1.d.example"]}, AS + "certificate contains no matching dNSNnames"),
    ({}, AS + "certificate contains no valid commonName"), ({"common": "other.example"}, AS + "received certificate for other.example"),
])
def test_a_server_that_is_not(authority, tmp_path, pem, issued, words):
    assert failure(TlsClient(MX, pem(authority.cert), "", []), tls_context(tmp_path, authority.issue(**issued).pem)) == words


def test_an_authority_that_was_not_asked_for(authority, tmp_path, pem):
    text = failure(TlsClient(MX, pem(Authority("else").cert), "", []), tls_context(tmp_path, authority.issue(MX, dns=[MX]).pem))
    assert text == WITH + "unable to get local issuer certificate"


def test_the_servers_own_certificate_is_enough(authority, tmp_path, pem):
    for issued in (authority.issue(MX), authority.issue(MX, self_signed=True)):
        assert greeting(TlsClient(MX, pem(issued.cert), "", []), tls_context(tmp_path, issued.pem))


def test_a_certificate_between(authority, tmp_path, pem):
    between = Authority("between", above=authority)
    assert greeting(TlsClient(MX, pem(authority.cert), "", []), tls_context(tmp_path, between.issue(MX).pem + between.cert))


def test_a_certificate_that_was_taken_back(authority, tmp_path, pem):
    good, bad = authority.issue(MX), authority.revoke(authority.issue(MX))
    demand = pem(authority.cert + authority.crl())
    assert greeting(TlsClient(MX, demand, "", []), tls_context(tmp_path, good.pem))
    assert failure(TlsClient(MX, demand, "", []), tls_context(tmp_path, bad.pem)) == WITH + "certificate revoked"
    demand = pem(authority.cert + authority.crl(days=-2))
    assert failure(TlsClient(MX, demand, "", []), tls_context(tmp_path, good.pem)) == WITH + "CRL has expired"


def test_a_certificate_that_is_not_for_servers(authority, tmp_path, pem):
    issued = authority.issue(MX, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert failure(TlsClient(MX, pem(authority.cert), "", []), tls_context(tmp_path, issued.pem)) == WITH + "unsuitable certificate purpose"


def test_a_server_that_shows_none(pem, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
    assert failure(TlsClient(MX, pem(authority.cert), "", [b"AECDH-AES128-SHA:@SECLEVEL=0"]), context) == AS + "no certificate provided"


@pytest.mark.parametrize(("text", "words"), [("", "no certificate or crl found"), ("nonsense\n", "no certificate or crl found"), (None, "file does not exist")])
def test_a_file_that_cannot_be_used_is_found_out_before_the_server_is_asked(pem, text, words):
    demand = pem(text or "")
    if text is None:
        demand.path += ".gone"
    with pytest.raises(TlsFailed) as problem:
        TlsClient(MX, demand, "", [])
    assert (problem.value.text, problem.value.begun) == (f"TLS unable to load {SHOWN}: {words}", False)


def test_a_folder_for_a_file(tmp_path):
    with pytest.raises(TlsFailed, match="TLS unable to load x: is a directory"):
        TlsClient(MX, Demand(str(tmp_path), "x"), "", [])


def tls12(folder, pem, ciphers=""):
    context = tls_context(folder, pem, maximum_version=ssl.TLSVersion.TLSv1_2)
    if ciphers:
        context.set_ciphers(ciphers)
    return context


AES = "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.mark.parametrize(("lines", "cipher", "notes"), [
    ([AES.encode()], AES, 0), ([b"ECDHE-RSA-AES128-GCM-SHA256:nonsense", AES.encode()], AES, 0), ([b"nonsense"], None, 1), ([b"TLS_NONSENSE", AES.encode()], None, 1),
])
def test_ciphers_for_tls_1_2(authority, tmp_path, lines, cipher, notes):
    client = TlsClient(MX, None, "", lines)
    assert greeting(client, tls12(tmp_path, authority.issue(MX).pem))
    assert (cipher is None or greeting.visit.cipher[0] == cipher, len(client.notes)) == (True, notes)


def test_ciphers_for_tls_1_3(authority, tmp_path):
    assert greeting(TlsClient(MX, None, "", [b"DEFAULT:TLS_CHACHA20_POLY1305_SHA256"]), tls_context(tmp_path, authority.issue(MX).pem))
    assert greeting.visit.cipher[0] == "TLS_CHACHA20_POLY1305_SHA256"


def test_suites_of_tls_1_3_alone_want_nothing_older(authority, tmp_path):
    assert failure(TlsClient(MX, None, "", [b"TLS_AES_128_GCM_SHA256"]), tls12(tmp_path, authority.issue(MX).pem)).startswith("TLS connect failed: ")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize(("lines", "good"), [([], False), ([b"DEFAULT:@SECLEVEL=0"], True)])
def test_versions_before_1_2_only_if_the_security_level_says_so(authority, tmp_path, lines, good):
    context = tls12(tmp_path, authority.issue(MX).pem, "ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    client = TlsClient(MX, None, "", lines)
    if good:
        assert greeting(client, context)
        assert greeting.visit.cipher[1] == "TLSv1.0"  # what the library calls ciphers as old as that
    else:
        assert failure(client, context) == "TLS connect failed: tlsv1 alert protocol version"


@pytest.fixture
def asking(authority, tmp_path):
    context = tls_context(tmp_path, authority.issue(MX).pem)
    context.load_verify_locations(cadata=authority.cert)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def test_a_server_that_asks_is_shown_our_certificate(authority, tmp_path, asking):
    (tmp_path / "mine.pem").write_text(authority.issue("me.example").pem)
    client = TlsClient(MX, None, str(tmp_path / "mine.pem"), [])
    assert greeting(client, asking)
    assert ((("commonName", "me.example"),) in greeting.visit.certificate["subject"], client.notes) == (True, [])


@pytest.mark.parametrize(("text", "words"), [
    ("nonsense\n", "mine.pem cannot be used: no certificate in it"), ("", "mine.pem cannot be used: no certificate in it"),
    ("cert only", "mine.pem cannot be used: no private key in it, or one under a password"), ("other key", "mine.pem cannot be used: key values mismatch"),
    ("locked key", "mine.pem cannot be used: no private key in it, or one under a password"), (None, "unable to read mine.pem: is a directory"),
])
def test_a_certificate_that_cannot_be_used_is_not_shown(authority, tmp_path, asking, text, words):
    mine, place = authority.issue("me.example"), tmp_path / "mine.pem"
    if text is None:
        place.mkdir()
    else:
        place.write_text({"cert only": mine.cert, "other key": mine.cert + authority.issue("x").key, "locked key": mine.cert + locked(mine.key)}.get(text, text))
    client = TlsClient(MX, None, str(place), [])
    assert greeting(client, asking)
    assert (greeting.visit.certificate, client.notes) == (None, [f"control/clientcert.pem was not shown: {words}"])


def locked(key):
    """A key that needs a password."""
    from cryptography.hazmat.primitives import serialization

    opened = serialization.load_pem_private_key(key.encode(), None)
    return opened.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")).decode()


def test_much_data_both_ways(authority, tmp_path):
    with SmtpSink(tls=tls_context(tmp_path, authority.issue(MX).pem), implicit=True) as sink:
        stream = TlsClient(MX, None, "", []).begin(connect("127.0.0.1", sink.port, 30, 30))
        stream.receive()
        stream.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
        body = b"x" * 70000 + b"\r\n"
        for _ in range(40):
            stream.send(body)
        stream.send(b"")
        stream.send(b".\r\nQUIT\r\n")
        said = b""
        while said.count(b"\n") < 5:
            said += stream.receive()
        stream.close()
        assert said.split(b"\r\n")[:-1] == [b"250 ok", b"250 ok", b"354 go ahead", b"250 ok queued", b"221 bye"]
        assert sink.wait(1)[0][2] == body * 40


def test_a_server_that_does_not_speak_tls():
    with SmtpSink() as sink:
        stream = connect("127.0.0.1", sink.port, 30, 30)
        with pytest.raises(TlsFailed, match="TLS connect failed: "):
            TlsClient(MX, None, "", []).begin(stream)
        stream.close()


@pytest.mark.parametrize(("greeting", "patience", "words"), [(None, 30, "the server hung up|connection reset"), ("", 0.2, "timed out")])
def test_a_server_that_says_nothing(greeting, patience, words):
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = connect("127.0.0.1", server.getsockname()[1], 30, patience)
        accepted, _ = server.accept()
        if greeting is None:
            accepted.close()
        with pytest.raises(TlsFailed, match=f"TLS connect failed: ({words})"):
            TlsClient(MX, None, "", []).begin(stream)
        stream.close()
        accepted.close()


def test_a_connection_that_breaks_within_tls_is_an_error(authority, tmp_path):
    context = tls_context(tmp_path, authority.issue(MX).pem)
    with SmtpSink({"greeting": "220 x"}, tls=context, implicit=True) as sink:
        stream = TlsClient(MX, None, "", []).begin(connect("127.0.0.1", sink.port, 30, 30))
        assert stream.receive() == b"220 x\r\n"
        sink.visits[0].connection.shutdown(socket.SHUT_RDWR)
        with pytest.raises(OSError):
            stream.receive()
        stream.close()
