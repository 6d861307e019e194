"""qmail-recipients."""

import os

import pytest

from qmailpy.unix.cdb import lookup
from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    (tmp_path / "users").mkdir()
    return LittleHome(tmp_path)


def test_the_table_is_made(home):
    (home.path / "users/recipients").write_bytes(b"# people\n\nBob@Example.org\t \n!@OPEN.example\nlist-@example.org\nj\xc3\x96@x")
    done = home.run("qmail-recipients")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    path = home.path / "users/recipients.cdb"
    for key in (b":bob@example.org", b":!@open.example", b":list-@example.org", b":j\xc3\x96@x"):
        assert lookup(str(path), key) == b""
    assert lookup(str(path), b"bob@example.org") is lookup(str(path), b":# people") is None
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(os.listdir(home.path / "users")) == ["recipients", "recipients.cdb"]


@pytest.mark.parametrize("trouble", ["missing", "folder", "closed"])
def test_trouble_leaves_the_old_table(home, trouble):
    users = home.path / "users"
    (users / "recipients").write_text("a@x\n")
    home.run("qmail-recipients")
    old, reason = (users / "recipients.cdb").read_bytes(), b"unable to read users/recipients: file does not exist"
    (users / "recipients").unlink()
    if trouble == "folder":
        (users / "recipients").mkdir()
        reason = b"unable to read users/recipients: is a directory"
    elif trouble == "closed":
        (users / "recipients").write_text("b@x\n")
        (users / "recipients.cdb.tmp").mkdir()
        reason = b"unable to write users/recipients.cdb: is a directory"
    done = home.run("qmail-recipients")
    assert (done.returncode, done.stderr) == (111, b"qmail-recipients: fatal: " + reason + b"\n")
    assert (users / "recipients.cdb").read_bytes() == old
