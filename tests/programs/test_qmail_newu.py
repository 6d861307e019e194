"""qmail-newu."""

import pytest

from qmailpy.unix.cdb import lookup
from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "users").mkdir()
    return found


def test_the_table_is_made(home):
    (home.path / "users/assign").write_bytes(b"=joe:joe:1:2:/h:::\n+joe-:joe:1:2:/h:-::\n.\n")
    done = home.run("qmail-newu")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert lookup(str(home.path / "users/cdb"), b"!joe-") == b"joe\x001\x002\0/h\0-\0"
    assert (home.path / "users/cdb").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(("assign", "words"), [(None, b"unable to open users/assign"), (b"junk\n.\n", b"bad format in users/assign"), (b"", b"bad format in users/assign")])
def test_trouble_leaves_the_old_table(home, assign, words):
    (home.path / "users/cdb").write_text("old")
    if assign is not None:
        (home.path / "users/assign").write_bytes(assign)
    done = home.run("qmail-newu")
    assert (done.returncode, done.stderr) == (111, b"qmail-newu: fatal: " + words + b"\n")
    assert (home.path / "users/cdb").read_text() == "old"
