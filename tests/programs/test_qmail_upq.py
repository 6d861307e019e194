"""qmail-upq."""

import fcntl
import itertools
import os
import time

import pytest

from qmailpy.queue.paths import Paths
from qmailpy.unix.files import remove
from tests import crash
from tests.checkout import LittleHome
from tests.send.queue import make, put

OLD = 7  # the number of subfolders before the queue got 23
DAY = 86400


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    found.paths = make(tmp_path / "queue", split=23)
    found.old = Paths(found.paths.queue, OLD)
    (tmp_path / "queue/lock/sendmutex").touch()
    return found


def files(home):
    """{name below the queue: content}"""
    return {os.path.relpath(os.path.join(place, name), home.paths.queue): open(os.path.join(place, name)).read()
            for place, _, names in os.walk(home.paths.queue) for name in names if name not in ("trigger", "sendmutex", "boot")}


def sorted_queue(home):
    done = home.run("qmail-upq")
    assert (done.returncode, done.stdout) == (0, b"")
    return done.stderr


def test_files_are_moved_where_they_belong(home):
    expected = {}
    for number in (0, 5, 24, 50, 161):
        for kind in ("mess", "info", "local", "remote"):
            put(home.old, number, **{kind: b"%d" % number})
            expected[f"{kind}/{number % 23}/{number}"] = str(number)
    put(home.paths, 30, todo=b"t", bounce=b"b")
    expected |= {"todo/30": "t", "bounce/30": "b"}
    for _ in range(2):
        assert sorted_queue(home) == b""
        assert files(home) == expected


def test_a_queue_without_subfolders(home):
    for kind in ("mess", "info"):
        (home.path / "queue" / kind / "50").write_text(kind)
    sorted_queue(home)
    assert files(home) == {"mess/4/50": "mess", "info/4/50": "info"}


def test_owner_mode_and_date_stay_and_the_message_counts_as_read(home):
    put(home.old, 50, mess=b"", info=b"")
    for kind in ("mess", "info"):
        os.chmod(home.old.name(kind, 50), 0o640)
        os.utime(home.old.name(kind, 50), (DAY, 2 * DAY))
    before = os.stat(home.old.info(50))
    sorted_queue(home)
    after, mess = os.stat(home.paths.info(50)), os.stat(home.paths.mess(50))
    assert [getattr(after, name) for name in ("st_ino", "st_mode", "st_uid", "st_gid", "st_mtime", "st_nlink")] == [
        getattr(before, name) for name in ("st_ino", "st_mode", "st_uid", "st_gid", "st_mtime", "st_nlink")]
    assert mess.st_mtime == 2 * DAY and mess.st_atime > time.time() - 600


def test_what_an_interrupted_run_has_left_under_two_names(home):
    put(home.old, 50, mess=b"m", info=b"i")
    os.link(home.old.mess(50), home.paths.mess(50))
    sorted_queue(home)
    assert files(home) == {"mess/4/50": "m", "info/4/50": "i"}


def test_nothing_is_overwritten_and_nothing_moved(home):
    put(home.old, 50, mess=b"m", info=b"i")
    put(home.paths, 50, info=b"other")
    before = files(home)
    done = home.run("qmail-upq")
    assert (done.returncode, files(home)) == (111, before)
    assert done.stderr == f"qmail-upq: fatal: {home.old.info(50)} belongs to {home.paths.info(50)}, where there is another file; nothing was moved\n".encode()


@pytest.mark.parametrize("there", ["link", "twice"])
def test_no_link_and_no_second_file_is_taken_for_the_file(home, there):
    put(home.old, 50, mess=b"m")
    if there == "link":
        os.symlink(home.old.mess(50), home.paths.mess(50))
    else:
        (home.path / "queue/mess/9/50").write_text("other")
    assert home.run("qmail-upq").returncode == 111
    assert open(home.old.mess(50)).read() == "m"


def test_what_has_no_number_for_a_name_is_left_with_a_word(home):
    for name in ("x", "007", "-1"):
        (home.path / "queue/mess" / name).write_text("")
    os.symlink("x", home.path / "queue/mess/50")
    assert sorted_queue(home).count(b"qmail-upq: warning: ") == 3
    assert {"mess/x", "mess/007", "mess/-1"} <= set(files(home)) and os.path.islink(home.path / "queue/mess/50")


def test_with_a_hashed_todo_envelopes_are_moved_too(home):
    with open(home.path / "lib/home.conf", "a") as conf:
        conf.write("todo hashed\n")
    for kind in ("todo", "intd"):
        for number in range(23):
            (home.path / "queue" / kind / str(number)).mkdir()
        (home.path / "queue" / kind / "50").write_text(kind)
    sorted_queue(home)
    assert files(home) == {"todo/4/50": "todo", "intd/4/50": "intd"}


def test_it_does_not_run_beside_qmail_send(home):
    put(home.old, 50, mess=b"m")
    with open(home.paths.lock("sendmutex"), "w") as mutex:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        done = home.run("qmail-upq")
    assert (done.returncode, done.stderr) == (111, b"qmail-upq: fatal: qmail-send is running; stop it first\n")
    assert list(files(home)) == ["mess/1/50"]


def test_a_subfolder_is_missing(home):
    put(home.old, 50, mess=b"m")
    os.rmdir(os.path.dirname(home.paths.mess(50)))
    done = home.run("qmail-upq")
    assert (done.returncode, files(home)) == (111, {"mess/1/50": "m"})
    assert done.stderr == f"qmail-upq: fatal: unable to link {home.old.mess(50)} to {home.paths.mess(50)}: file does not exist\n".encode()


def test_info_comes_last_so_that_no_half_moved_message_looks_finished(home):
    for kind in ("mess", "info", "local", "remote"):
        put(home.old, 50, **{kind: kind.encode()})
    os.rmdir(os.path.dirname(home.paths.remote(50)))
    assert home.run("qmail-upq").returncode == 111
    assert files(home) == {"mess/4/50": "mess", "local/4/50": "local", "remote/1/50": "remote", "info/1/50": "info"}
    os.mkdir(os.path.dirname(home.paths.remote(50)))
    sorted_queue(home)
    assert files(home) == {f"{kind}/4/50": kind for kind in ("mess", "local", "remote", "info")}


def test_whenever_it_dies_nothing_is_lost_and_the_next_run_goes_on(home):
    kinds = ("mess", "local", "remote", "info")
    for steps in itertools.count():
        for place in home.old, home.paths:
            for kind in kinds:
                remove(place.name(kind, 50))
        for kind in kinds:
            put(home.old, 50, **{kind: kind.encode()})
        died, done = crash.run(home, home.paths.queue, steps, "qmail-upq")
        found = files(home)
        moved = [f"{kind}/4/50" in found for kind in kinds]
        assert all(f"{kind}/4/50" in found or f"{kind}/1/50" in found for kind in kinds), done
        assert moved == sorted(moved, reverse=True), done
        if not died:
            break
        sorted_queue(home)
        assert files(home) == {f"{kind}/4/50": kind for kind in kinds}
    assert steps == 1 + 4 * 4


def test_each_name_is_on_the_disk_before_the_other_goes(home):
    put(home.old, 50, mess=b"", info=b"")
    _, steps = crash.run(home, home.paths.queue, 1000, "qmail-upq")
    assert steps == ["utime mess/1/50", "link mess/1/50", "sync mess/4", "unlink mess/1/50", "sync mess/1", "link info/1/50", "sync info/4", "unlink info/1/50", "sync info/1"]
