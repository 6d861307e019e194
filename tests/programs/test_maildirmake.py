"""maildirmake."""

import os

from tests.checkout import LittleHome


def test_a_maildir_is_made_once(tmp_path):
    home = LittleHome(tmp_path)
    assert home.run("maildirmake", "box").returncode == 0
    assert sorted(os.listdir(tmp_path / "box")) == ["cur", "new", "tmp"]
    assert all((tmp_path / "box" / part).stat().st_mode & 0o777 == 0o700 for part in ("", "cur", "new", "tmp"))
    done = home.run("maildirmake", "box")
    assert (done.returncode, done.stderr) == (111, b"maildirmake: fatal: unable to mkdir box: file already exists\n")


def test_usage(tmp_path):
    done = LittleHome(tmp_path).run("maildirmake")
    assert (done.returncode, done.stderr) == (100, b"maildirmake: usage: maildirmake name\n")
