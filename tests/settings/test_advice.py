"""What qmail-showctl warns of."""

import os

import pytest

from qmailpy.home import Home
from qmailpy.settings.advice import warnings


KEY = "-----BEGIN PRIVATE KEY-----\n"


@pytest.fixture
def home(tmp_path):
    for folder in ("control", "bin", "users"):
        (tmp_path / folder).mkdir()
    return Home(str(tmp_path))


def told(home, mode=0o640, **files):
    """The warnings for these control files; "_" stands for a dot in a name."""
    for name, text in files.items():
        path = home.at("control", name.replace("_", "."))
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
    return list(warnings(home))


@pytest.mark.parametrize(("files", "name", "words"), [
    ({"tlsremote": ""}, "tlsremote", "1 switches it on"),
    ({"tlsremote": "yes\n"}, "tlsremote", "1 switches it on"),
    ({"databytes": "x\n"}, "databytes", "no number"),
    ({"rctpdelay": "1\n"}, "rctpdelay", "meant to be rcptdelay"),
    ({"nosigndoms": "x\n"}, "nosigndoms", "meant to be nosignhosts"),
    ({"databyte": "1\n"}, "databyte", "meant to be databytes"),
    ({"zzz": ""}, "zzz", "nothing reads this file"),
    ({"badheloext": "(unclosed\n"}, "badheloext", "line 1 is no regular expression"),
    ({"badheloext": "# x\n\n!(unclosed\n"}, "badheloext", "line 3 is no regular expression"),
    ({"badheloint": "!a\n!b\n"}, "badheloint", "several negated lines"),
    ({"tlssmtpext": "1\n"}, "tlssmtpext", "no servercert.pem"),
    ({"secauthint": "1\n"}, "secauthint", "nobody can authenticate"),
    ({"servercert_pem": "x"}, "servercert.pem", "offered to nobody"),
    ({"tlsclients": "a@b\n"}, "tlsclients", "no clientca.pem"),
    ({"secauthremote": "1\n"}, "secauthremote", "tlsremote is not set"),
    ({"extraremote": "1\n"}, "extraremote", "all remote mail waits"),
    ({"recipientchk": "2\n"}, "recipientchk", "nothing is checked"),
    ({"recipients": "users/none.cdb\n"}, "recipients", "users/none.cdb is not there"),
    ({"clamd": "127.0.0.1\n"}, "clamd", "no port"),
    ({"bindroutes": "10.1:192.0.2.1\n"}, "bindroutes", "line 1: the prefix does not end with a dot"),
    ({"databytesmf": "a@b:x\n"}, "databytesmf", "line 1 has no number"),
    ({"smtproutes": "a:b joe\n"}, "smtproutes", "line 1 has a user name but no password"),
])
def test_what_cannot_work_is_told(home, files, name, words):
    assert any(found == name and words in why for found, why in told(home, **files)), list(warnings(home))


@pytest.mark.parametrize("files", [
    {}, {"me": "x\n", "databytes": "0\n", "morercpthosts_cdb": ""}, {"tlsremote": "0\n"}, {"badheloext": "!a\nb\n[[:alpha:]]\n"},
    {"servercert_pem": "x", "tlssmtpext": "1\n", "secauthext": "1\n"}, {"clamd": "[::1]:3310\n"}, {"bindroutes": "10.:192.0.2.1\n:192.0.2.2\n1.2.3.4:\n"},
    {"smtproutes": "a:b u p\nc:d\ne:\n"}, {"recipientchk": "1\n"},
])
def test_what_can_work_is_not_spoken_of(home, files):
    assert told(home, **files) == []


@pytest.mark.parametrize(("files", "mode", "names"), [
    ({"signkey": "k\n"}, 0o644, ["signkey"]), ({"signkey": "k\n"}, 0o640, []), ({"smtproutes": "a:b u p\n"}, 0o644, ["smtproutes"]),
    ({"smtproutes": "a:b\n"}, 0o644, []), ({"servercert_pem": KEY, "tlssmtpint": "1\n"}, 0o604, ["servercert.pem"]), ({"clientcert_pem": KEY}, 0o644, ["clientcert.pem"]), ({"clientcert_pem": "x"}, 0o644, []),
])
def test_secrets_that_everybody_can_read(home, files, mode, names):
    assert [name for name, why in told(home, mode, **files) if "everybody can read it" in why] == names


def test_certificates_by_name_are_secrets_too(home):
    os.mkdir(home.at("control", "servercerts"))
    told(home, 0o644, **{"servercerts/a_example_pem": "x"})
    assert [name for name, _ in warnings(home)] == ["servercerts/a.example.pem"]


def test_a_home_without_control_has_no_warnings(tmp_path):
    assert list(warnings(Home(str(tmp_path)))) == []
