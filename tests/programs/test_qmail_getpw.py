"""qmail-getpw."""

import os
import pwd

import pytest

from qmailpy.home import Home
from qmailpy.programs import qmail_getpw
from qmailpy.programs.qmail_getpw import HomeTrouble, find, splits
from tests.checkout import LittleHome


class Users:
    """Stands for the module pwd."""

    struct_passwd = pwd.struct_passwd

    def __init__(self, **users):
        self.users = users

    def getpwnam(self, name):
        if name not in self.users:
            raise KeyError(name)
        uid, folder = self.users[name]
        return pwd.struct_passwd((name, "x", uid, 100, "", folder, ""))


@pytest.fixture
def users(monkeypatch, tmp_path):
    me = os.getuid() or 1234
    if not os.getuid():
        os.chown(tmp_path, me, -1)
    monkeypatch.setattr(qmail_getpw, "pwd", Users(joe=(me, str(tmp_path)), **{"joe-x": (me, str(tmp_path))}, root=(0, "/"), other=(me + 1, str(tmp_path)),
                                                  gone=(me, "/nowhere"), alias=(77, "/var/qmail/alias")))
    return me


@pytest.mark.parametrize(("local", "name", "dash", "ext"), [
    (b"joe", b"joe", b"", b""), (b"JOE", b"joe", b"", b""), (b"joe-a-b", b"joe", b"-", b"a-b"), (b"joe-x", b"joe-x", b"", b""), (b"joe-x-y", b"joe-x", b"-", b"y"),
    (b"joe-", b"joe", b"-", b""), (b"root", b"alias", b"-", b"root"), (b"other", b"alias", b"-", b"other"), (b"gone", b"alias", b"-", b"gone"),
    (b"nobody-x", b"alias", b"-", b"nobody-x"), (b"", b"alias", b"-", b""), (b"x" * 100, b"alias", b"-", b"x" * 100),
])
def test_whose_an_address_is(users, local, name, dash, ext):
    found = find(local, Home("/var/qmail"))
    assert (found[0], found[4], found[5]) == (name, dash, ext)


def test_a_home_that_cannot_be_looked_at_now(users, monkeypatch):
    def trouble(path):
        raise OSError(5, "input/output error")

    monkeypatch.setattr(qmail_getpw.os, "stat", trouble)
    with pytest.raises(HomeTrouble):
        find(b"joe", Home("/var/qmail"))


def test_splits():
    assert list(splits(b"a-b", b"-")) == [(b"a-b", b"", b""), (b"a", b"-", b"b")]
    assert list(splits(b"a+b-c", b"+")) == [(b"a+b-c", b"", b""), (b"a", b"-", b"b-c")]


def test_six_fields_come_out(tmp_path):
    done = LittleHome(tmp_path).run("qmail-getpw", "no-such-user-here")
    assert done.returncode == 0
    assert done.stdout == b"alias\0%d\0%d\0%s/alias\0-\0no-such-user-here\0" % (os.getuid(), os.getgid(), os.fsencode(tmp_path))
