"""qmail-lspawn: whose an address is, and what qmail-local gets."""

import os

import pytest

from tests.checkout import LittleHome

PRINT = '#!/bin/sh\nprintf "%s|" "$@"; pwd\n'


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue/mess/0").mkdir(parents=True)
    (tmp_path / "queue/mess/0/46").write_text("m\n")
    (tmp_path / "users").mkdir()
    found.program("qmail-local", PRINT)
    found.link("qmail-getpw")
    return found


def spawn(home, recipient=b"nosuchuser-X@h.example", assign=None):
    if assign is not None:
        (home.path / "users/assign").write_text(assign)
        assert home.run("qmail-newu").returncode == 0
    return home.run("qmail-lspawn", "./Maildir/", stdin=b"\0" + b"0/46\0s@x\0" + recipient + b"\0").stdout[2:-1]


def test_an_address_that_nobody_lists_belongs_to_the_one_user(home):
    alias = f"{home.path}/alias"
    assert spawn(home) == f"K--|alias|{alias}|nosuchuser-X|-|nosuchuser-X|h.example|s@x|./Maildir/|{home.path}\n".encode()


def test_users_cdb_is_asked_first(home):
    me = os.getuid()
    said = spawn(home, b"Joe-List@h.example", f"+joe-:joe:{me}:{os.getgid()}:/x:-:pre-:\n.\n")
    if me == 0:
        assert said == b"ZNot allowed to perform deliveries as root.\n"
    else:
        assert said == f"K--|joe|/x|Joe-List|-|pre-List|h.example|s@x|./Maildir/|{home.path}\n".encode()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_root_becomes_the_user_that_is_listed(home):
    os.chmod(home.path, 0o755)
    home.program("qmail-local", "#!/bin/sh\nid -u; id -G\n")
    said = spawn(home, b"joe@h", "=joe:joe:54321:54322:/x:::\n.\n")
    assert said in (b"K54321\n54322\n", b"ZUnable to run qmail-local.\n")  # the latter where the test's folder is closed to others


def test_nobody(home):
    assert spawn(home, b"@h.example") == b"K"


@pytest.mark.parametrize(("damage", "report"), [(b"short", b"ZTrouble reading users/cdb"), (b"\xff" * 3000, b"ZTrouble reading users/cdb")])
def test_a_damaged_table_defers(home, damage, report):
    (home.path / "users/cdb").write_bytes(damage)
    assert spawn(home).startswith(report)


@pytest.mark.parametrize(("script", "report"), [
    ("exit 115", b"ZNFS failure in qmail-local.\n"), ("exit 116", b"ZUnable to find alias user!\n"), ("kill -9 $$", b"ZTemporary failure in qmail-lspawn.\n"),
    ("printf 'a\\0b'", b"ZInternal qmail-lspawn bug.\n"),
])
def test_trouble_with_qmail_getpw(home, script, report):
    home.program("qmail-getpw", f"#!/bin/sh\n{script}\n")
    assert spawn(home) == report
    os.unlink(home.path / "bin/qmail-getpw")
    assert spawn(home) == b"ZUnable to run qmail-getpw.\n"


def test_a_missing_qmail_local_defers(home):
    os.unlink(home.path / "bin/qmail-local")
    assert spawn(home) == b"ZUnable to run qmail-local.\n"


def test_usage(home):
    assert home.run("qmail-lspawn").returncode == 100
