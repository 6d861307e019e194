"""TLS for POP3: where there is any, and what is told if it cannot be had."""

import os

import pytest

from qmailpy.home import Home
from qmailpy.serve.pop3_tls import Pop3Tls, pop3_tls
from tests.checkout import LittleHome
from tests.pki import Authority


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.mark.parametrize(("content", "able", "told"), [
    (lambda: Authority().issue("pop").pem, True, ""),
    (lambda: "nonsense\n", False, "qmail-popup: tls: servercert.pem cannot be used: no certificate in it\n"),
])
def test_getting_ready(home, content, able, told, capfd):
    home.control(**{"servercert.pem": content()})
    assert Pop3Tls(Home(str(home.path)), {}).prepare() == able
    assert capfd.readouterr().err == told


def test_control_files_that_cannot_be_read(home, capfd):
    home.control(**{"servercert.pem": ""})
    (home.path / "control/tlsserverciphers").mkdir()
    assert not Pop3Tls(Home(str(home.path)), {}).prepare()
    assert capfd.readouterr().err == "qmail-popup: tls: unable to read control/tlsserverciphers: is a directory\n"


@pytest.mark.parametrize(("env", "there"), [
    ({"UCSPITLS": "", "SSLCTLFD": "7", "SSLREADFD": "8", "SSLWRITEFD": "9"}, True), ({"UCSPITLS": ""}, False), ({"POP3S": ""}, True), ({}, False),
])
def test_where_there_is_tls(env, there):
    if os.path.exists("/var/qmail/control/servercert.pem"):
        pytest.skip("this machine's own qmail has a certificate")
    assert (pop3_tls(env) is not None) == there


def test_a_listener_that_does_it_needs_no_certificate():
    ends = [end for _ in range(3) for end in os.pipe()]
    (control, ask), (read, say), (hear, write) = ends[:2], ends[2:4], ends[4:]
    one = Pop3Tls(None, {"UCSPITLS": "", "SSLCTLFD": str(ask), "SSLREADFD": str(read), "SSLWRITEFD": str(write)})
    assert one.prepare()
    child = os.fork()
    if not child:
        os._exit(one.secured(lambda: os.write(1, os.read(0, 10)), 5))
    os.write(say, b"hello")
    assert os.read(control, 10) == b"y"
    assert os.read(hear, 10) == b"hello"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    for end in ends:
        os.close(end)
