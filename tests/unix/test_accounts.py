"""Whose a local part is: the system's users, and users/cdb."""

import os
import pwd

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.text.assign import records
from qmailpy.unix import accounts
from qmailpy.unix.accounts import HomeTrouble, listed, splits, unlisted
from qmailpy.unix.cdb import write


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
    monkeypatch.setattr(accounts, "pwd", Users(joe=(me, str(tmp_path)), **{"joe-x": (me, str(tmp_path))}, root=(0, "/"), other=(me + 1, str(tmp_path)),
                                                  gone=(me, "/nowhere"), alias=(77, "/var/qmail/alias")))
    return me


@pytest.mark.parametrize(("local", "name", "dash", "ext"), [
    (b"joe", b"joe", b"", b""), (b"JOE", b"joe", b"", b""), (b"joe-a-b", b"joe", b"-", b"a-b"), (b"joe-x", b"joe-x", b"", b""), (b"joe-x-y", b"joe-x", b"-", b"y"),
    (b"joe-", b"joe", b"-", b""), (b"root", b"alias", b"-", b"root"), (b"other", b"alias", b"-", b"other"), (b"gone", b"alias", b"-", b"gone"),
    (b"nobody-x", b"alias", b"-", b"nobody-x"), (b"", b"alias", b"-", b""), (b"x" * 100, b"alias", b"-", b"x" * 100),
])
def test_whose_an_address_is(users, local, name, dash, ext):
    found = unlisted(Home("/var/qmail"), local)
    assert (found.user, found.dash, found.ext) == (name, dash, ext)


def test_a_home_that_cannot_be_looked_at_now(users, monkeypatch):
    def trouble(path):
        raise OSError(5, "input/output error")

    monkeypatch.setattr(accounts.os, "stat", trouble)
    with pytest.raises(HomeTrouble):
        unlisted(Home("/var/qmail"), b"joe")


def test_splits():
    assert list(splits(b"a-b", b"-")) == [(b"a-b", b"", b""), (b"a", b"-", b"b")]
    assert list(splits(b"a+b-c", b"+")) == [(b"a+b-c", b"", b""), (b"a", b"-", b"b-c")]


def test_no_alias_user_is_no_account(users, monkeypatch):
    monkeypatch.delitem(accounts.pwd.users, "alias")
    assert unlisted(Home("/var/qmail"), b"nobody") is None


def test_in_a_single_user_home_everybody_else_is_alias(users):
    home = Home("/h")
    home.single = True
    found = unlisted(home, b"nobody")
    assert (found.user, found.uid, found.home, found.dash, found.ext) == (b"alias", os.geteuid(), b"/h/alias", b"-", b"nobody")


def test_users_cdb(tmp_path):
    home, path = Home(str(tmp_path)), tmp_path / "users/cdb"
    path.parent.mkdir()
    assert listed(home, b"joe") is None
    write(str(path), records(b"=joe:joe:1:2:/joe:::\n+joe-:joe:1:2:/joe:-::\n.\n"))
    assert listed(home, b"JOE") == b"joe\x001\x002\0/joe\0\0"
    assert listed(home, b"joe-X") == b"joe\x001\x002\0/joe\0-\0X"
    assert listed(home, b"jim") is None
    write(str(path), [])
    with pytest.raises(Temporary, match="no record of wildcard"):
        listed(home, b"joe")
    path.unlink()
    path.mkdir()
    with pytest.raises(Temporary, match="unable to read"):
        listed(home, b"joe")
