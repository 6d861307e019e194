"""qmail-cert: what it makes, and what it leaves alone."""

import os
import pwd
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.checkout import LittleHome
from tests.onwire import Client, Server
from tests.pki import Authority


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def made(home):
    return (home.path / "control/servercert.pem").read_bytes()


def text(certificate):
    return certificate.public_bytes(Encoding.PEM).decode()


def names(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def test_a_certificate_that_serves_at_once(home):
    done = home.run("qmail-cert", "--ec")
    assert (done.returncode, done.stderr) == (0, b"")
    path = home.path / "control/servercert.pem"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert os.readlink(home.path / "control/clientcert.pem") == "servercert.pem"
    assert names(x509.load_pem_x509_certificate(made(home))) == ["me.example"]
    with Server(home, "qmail-smtpd", TLSSMTPEXT="1") as server, Client(server.port) as client:
        client.hear()
        client.say("STARTTLS")
        client.tls(authority=text(x509.load_pem_x509_certificate(made(home))), name="me.example")
        assert client.say("NOOP") == "250 ok"


def test_what_the_options_say(home):
    assert home.run("qmail-cert", "--name", "MX.example.", "--name", "mail.example", "--email", "post@x.example", "--days", "10").returncode == 0
    found = x509.load_pem_x509_certificate(made(home))
    assert names(found) == ["mx.example", "mail.example"]
    assert found.subject.rfc4514_string().endswith("CN=mx.example")
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days == 10
    assert found.public_key().key_size == 2048
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(home.path / "control/servercert.pem")


@pytest.mark.parametrize("there", ["a file", "a link that leads nowhere"])
def test_an_existing_certificate_is_left_alone(home, there):
    path = home.path / "control/servercert.pem"
    if there == "a file":
        path.write_text("mine\n")
    else:
        path.symlink_to("/nowhere/else")
    done = home.run("qmail-cert")
    assert (done.returncode, done.stdout) == (0, f"{path} is there already: nothing was done.\n".encode())
    assert path.is_symlink() or path.read_text() == "mine\n"
    assert not (home.path / "control/clientcert.pem").exists()


def test_a_client_certificate_is_left_alone(home):
    home.control(**{"clientcert.pem": "mine\n"})
    assert home.run("qmail-cert", "--ec").returncode == 0
    assert (home.path / "control/clientcert.pem").read_text() == "mine\n"


def test_a_request_and_what_an_authority_makes_of_it(home):
    done = home.run("qmail-cert", "--request", "--ec")
    assert (done.returncode, done.stderr) == (0, b"")
    asked = x509.load_pem_x509_csr((home.path / "req.pem").read_bytes())
    assert names(asked) == ["me.example"]
    key = made(home)
    assert b"CERTIFICATE" not in key
    assert (home.path / "control/servercert.pem").stat().st_mode & 0o7777 == 0o640
    again = home.run("qmail-cert", "--request", "--name", "mx.example", "--output", "other.pem")  # with the same key, for another name
    assert again.returncode == 0
    assert made(home) == key
    other = x509.load_pem_x509_csr((home.path / "other.pem").read_bytes())
    assert names(other) == ["mx.example"]
    assert other.public_key() == asked.public_key()

    class Theirs:
        """A key of which only the public half is known."""

        @staticmethod
        def public_key():
            return asked.public_key()

    authority = Authority()
    signed = authority.sign(authority.begin(asked.subject, Theirs, 2).add_extension(x509.SubjectAlternativeName([x509.DNSName("me.example")]), critical=False))
    with open(home.path / "control/servercert.pem", "a") as file:  # as the instructions of old said: cat signed.pem >> servercert.pem
        file.write(text(signed))
    with Server(home, "qmail-smtpd", TLSSMTPEXT="1") as server, Client(server.port) as client:
        client.hear()
        client.say("STARTTLS")
        client.tls(authority=authority.cert, name="me.example")
        assert client.say("NOOP") == "250 ok"


@pytest.mark.parametrize(("words", "status", "said"), [
    (["--nonsense"], 100, b"qmail-cert: fatal: No such option"),
    (["--days", "0"], 100, b"qmail-cert: fatal: Invalid value for '--days'"),
    (["--name", "a b"], 111, b"qmail-cert: fatal: 'a b' is not the name of a host"),
    (["--name", "b\u00fccher.example"], 100, b"qmail-cert: fatal: no certificate can be made out to that: "),
    (["words"], 100, b"qmail-cert: fatal: Got unexpected extra argument"),
    (["--request", "--output", "/nowhere/req.pem"], 111, b"qmail-cert: fatal: unable to write /nowhere/req.pem: file does not exist"),
])
def test_what_makes_no_sense(home, words, status, said):
    done = home.run("qmail-cert", *words)
    assert (done.returncode, done.stderr[:len(said)]) == (status, said)
    assert not (home.path / "control/clientcert.pem").exists() or "--output" in words


def test_help(home):
    done = home.run("qmail-cert", "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"Usage: qmail-cert [OPTIONS]\n")


def test_a_home_without_a_name(home):
    (home.path / "control/me").unlink()
    done = home.run("qmail-cert")
    assert (done.returncode, done.stderr) == (111, b"qmail-cert: fatal: there is no control/me; --name says which name to use\n")


def test_a_file_without_a_key(home):
    home.control(**{"servercert.pem": "nonsense\n"})
    done = home.run("qmail-cert", "--request")
    assert (done.returncode, made(home)) == (111, b"nonsense\n")
    assert done.stderr.endswith(b"servercert.pem: there is no private key in it, or one under a password\n")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_who_may_read_it(home):
    user = pwd.getpwnam("qmaild")
    (home.path / "lib/home.conf").write_text(f"home {home.path}\nkind multi\nuser qmaild qmaild {user.pw_uid}\ngroup qmail qmail 12345\n")
    assert home.run("qmail-cert", "--ec").returncode == 0
    found = (home.path / "control/servercert.pem").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (user.pw_uid, 12345, 0o640)
