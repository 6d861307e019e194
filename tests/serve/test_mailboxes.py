"""recipientchk=1 against real tables, users and .qmail files."""

import os
import pwd

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.serve.mailboxes import exists, takes, whose
from qmailpy.text.assign import records
from qmailpy.unix import accounts
from qmailpy.unix.cdb import write


@pytest.fixture
def home(tmp_path):
    """A home, and bob, alias and team with folders in it."""
    assign = "".join(f"{kind}:{user}:65533:65532:{tmp_path}/{user}:{dash}:{ext}:\n" for kind, user, dash, ext in (
        ("=bob", "bob", "", ""), ("+bob-", "bob", "-", ""), ("+team-", "bob", "-", "t-"), ("+loop-", "loop", "-", ""), ("+file-", "file", "-", ""), ("+", "alias", "-", "")))
    for folder in ("users", "bob", "alias"):
        (tmp_path / folder).mkdir()
    write(str(tmp_path / "users/cdb"), records(assign.encode() + b".\n"))
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    for name in ("bob/.qmail-list", "bob/.qmail-a:b", "bob/.qmail-c-default", "bob/.qmail-t-x", "bob/.qmail-v-x", "alias/.qmail-postmaster"):
        (tmp_path / name).write_text("")
    (tmp_path / "bob/.qmail-folder").mkdir()
    (tmp_path / "bob/.qmail-dead").symlink_to("nowhere")
    return Home(str(tmp_path))


@pytest.mark.parametrize(("local", "there"), [
    (b"bob", True), (b"BOB", True), (b"bob-list", True), (b"Bob-LIST", True), (b"bob-other", False), (b"postmaster", True), (b"nobody-here", False),
    (b"bob-v-x", True), (b"bob-v-y", False), (b"bob-A.B", True), (b"bob-c-d-e", True), (b"bob-c", False), (b"bob-", False), (b"team-x", True), (b"team-y", False),
    (b"bob-folder", False), (b"bob-dead", False), (b"bob-" + b"x" * 300, False), (b"", True), (b"bob-../bob/.qmail-list", False),
])
def test_the_mailboxes(home, local, there):
    logged = []
    assert exists(home, local, logged.append) == there
    assert logged == []


@pytest.mark.parametrize("name", [".qmail-default", ".qmail-nobody-default"])
def test_alias_may_take_everything(home, name):
    with open(home.at("alias", name), "w"):
        pass
    assert exists(home, b"nobody-here", None)


@pytest.mark.parametrize(("local", "path", "why"), [(b"loop-x", "loop/.qmail-x", b"symbolic link loop"), (b"file-x", "file/.qmail-x", b"not a directory")])
def test_what_cannot_be_seen_counts_as_there_and_is_logged(home, local, path, why):
    logged = []
    assert exists(home, local, logged.append)
    assert logged == [b"unable to stat " + os.fsencode(home.at(path)) + b": " + why]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_closed_home_counts_as_one_that_takes_all(home, tmp_path):
    os.chmod(tmp_path / "bob", 0o700)
    child = os.fork()
    if not child:
        status, logged = 1, []
        try:
            os.chdir(tmp_path)  # the folders above may be closed, too
            os.setuid(65534)
            takes(b"bob/.qmail-x", logged.append)
            status = 0 if logged == [b"unable to stat bob/.qmail-x: access denied"] else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("damage", ["folder", "short", "no wildcards"])
def test_a_table_that_cannot_be_read(home, damage, tmp_path):
    path = tmp_path / "users/cdb"
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "short":
        path.write_text("x")
    else:
        write(str(path), [])
    with pytest.raises(Temporary) as problem:
        exists(home, b"bob", None)
    assert (problem.value.text, problem.value.status) == ("unable to read cdb user database", "4.3.0")


def test_a_table_that_makes_no_sense_lets_the_mail_wait(home):
    write(home.at("users/cdb"), [(b"!bob\0", b"too\0few"), (b"", b"")])
    assert exists(home, b"bob", None)


def test_users_of_the_system(tmp_path):
    """Whoever runs this is a user; root's mail is alias's."""
    home, me = Home(str(tmp_path)), pwd.getpwuid(os.getuid()).pw_name
    home.single = True
    (tmp_path / "alias").mkdir()
    found = whose(home, me.encode())
    assert found.user == (b"alias" if os.getuid() == 0 else me.encode())
    assert exists(home, b"no-such-user-here", None) is False
    (tmp_path / "alias/.qmail-no-default").write_text("")
    assert exists(home, b"no-such-user-here", None)


class NoUsers:
    """Stands for the module pwd."""

    struct_passwd = pwd.struct_passwd

    @staticmethod
    def getpwnam(name):
        raise KeyError(name)


class NoHomes(NoUsers):
    """Its users have homes that cannot be looked at."""

    @staticmethod
    def getpwnam(name):
        return pwd.struct_passwd((name, "x", 77, 100, "", "/nowhere", ""))


@pytest.mark.parametrize("users", [NoUsers, NoHomes])
def test_a_user_database_that_does_not_even_have_alias_is_broken(monkeypatch, tmp_path, users):
    def trouble(path):
        raise OSError(5, "input/output error")

    monkeypatch.setattr(accounts, "pwd", users)
    monkeypatch.setattr(accounts.os, "stat", trouble)
    with pytest.raises(Temporary) as problem:
        exists(Home(str(tmp_path)), b"bob", None)
    assert (problem.value.text, problem.value.status) == ("unable to read system user database", "4.3.0")
