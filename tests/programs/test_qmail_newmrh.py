"""qmail-newmrh."""

from qmailpy.unix.cdb import lookup
from tests.checkout import LittleHome


def test_the_table_is_made(tmp_path):
    home = LittleHome(tmp_path)
    home.control(morercpthosts="One.Example \n# no\n\n.two.example")
    assert home.run("qmail-newmrh").returncode == 0
    path = str(tmp_path / "control/morercpthosts.cdb")
    assert (lookup(path, b"one.example"), lookup(path, b".two.example"), lookup(path, b"# no")) == (b"", b"", None)


def test_no_list(tmp_path):
    done = LittleHome(tmp_path).run("qmail-newmrh")
    assert (done.returncode, done.stderr) == (111, b"qmail-newmrh: fatal: unable to read control/morercpthosts: file does not exist\n")
