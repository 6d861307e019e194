"""qmail-clean as a process."""

import os

import pytest

from tests.checkout import LittleHome
from tests.send.queue import make, put


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    found.paths = make(tmp_path / "queue", split=23)
    (tmp_path / "queue/pid").mkdir()
    return found


def clean(home, requests):
    done = home.run("qmail-clean", stdin=requests)
    assert done.returncode == 0
    return done.stdout


def left(home, number):
    return {kind for kind in ("mess", "intd", "todo") if os.path.exists(home.paths.name(kind, number))}


@pytest.mark.parametrize(("request_", "answer", "kept"), [
    (b"foop/46\0", b"+", {"todo"}), (b"todo/46\0", b"+", {"mess"}), (b"mess/46\0", b"x", {"mess", "intd", "todo"}), (b"foop/46x\0", b"x", {"mess", "intd", "todo"}),
    (b"foop/\0", b"x", {"mess", "intd", "todo"}), (b"foop/../46\0", b"x", {"mess", "intd", "todo"}), (b"foop/" + b"0" * 200 + b"46\0", b"x", {"mess", "intd", "todo"}),
    (b"foop/46", b"", {"mess", "intd", "todo"}), (b"\0\0", b"xx", {"mess", "intd", "todo"}), (b"foop/47\0", b"+", {"mess", "intd", "todo"}),
])
def test_requests(home, request_, answer, kept):
    put(home.paths, 46, mess=b"", intd=b"", todo=b"")
    assert clean(home, request_) == answer
    assert left(home, 46) == kept


def test_a_file_that_cannot_be_removed(home):
    os.mkdir(home.paths.intd(46))
    assert clean(home, b"todo/46\0") == b"!"


def test_old_files_in_pid_go(home):
    for name, age in (("old", 200000), ("young", 1000)):
        path = home.path / "queue/pid" / name
        path.write_text("")
        now = path.stat().st_mtime
        os.utime(path, (now - age, now - age))
    clean(home, b"")
    assert os.listdir(home.path / "queue/pid") == ["young"]


def test_an_endless_request_is_answered_once(home):
    assert clean(home, b"x" * 300000 + b"\0foop/46\0") == b"x+"


def test_no_queue(home):
    os.rename(home.path / "queue", home.path / "away")
    assert home.run("qmail-clean").returncode == 111
