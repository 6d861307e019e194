"""qmail-qstat."""

import os
import re

import pytest

from tests.checkout import LittleHome
from tests.send.queue import Restless, make, put


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    return found


def counted(home):
    done = home.run("qmail-qstat")
    assert (done.returncode, done.stderr) == (0, b"")
    return tuple(map(int, re.fullmatch(rb"messages in queue: (\d+)\nmessages in queue but not yet preprocessed: (\d+)\n", done.stdout).groups()))


@pytest.mark.parametrize("big_todo", [False, True])
def test_files_in_mess_and_in_todo_are_counted(home, big_todo):
    paths = make(home.path / "queue", split=23, big_todo=big_todo)
    assert counted(home) == (0, 0)
    for number in range(30):
        put(paths, number, mess=b"", info=b"")
    put(paths, 30, mess=b"", todo=b"")
    put(paths, 53, mess=b"", intd=b"")
    assert counted(home) == (32, 1)


def test_only_files_count(home):
    paths = make(home.path / "queue", split=23)
    os.symlink("/etc/passwd", paths.mess(1))
    os.mkfifo(paths.mess(2))
    os.mkdir(paths.todo(3))
    assert counted(home) == (0, 0)


def test_messages_may_come_and_go_meanwhile(home):
    paths = make(home.path / "queue", split=23)
    for number in range(5):
        put(paths, number, mess=b"", todo=b"")
    with Restless(paths, range(100, 200)) as others:
        for _ in range(5):
            messages, waiting = counted(home)
            assert 5 <= messages <= 105 and 5 <= waiting <= 105
    assert others.rounds


def test_no_queue_is_not_an_empty_queue(home):
    done = home.run("qmail-qstat")
    assert (done.returncode, done.stdout) == (111, b"")
    assert done.stderr == b"qmail-qstat: fatal: unable to read %s/queue/mess: file does not exist\n" % os.fsencode(home.path)
