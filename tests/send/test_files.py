"""A message's files as qmail-send uses them."""

import os

import pytest

from qmailpy.send.files import Files
from tests.send.queue import make, put


@pytest.fixture
def files(tmp_path):
    return Files(make(tmp_path))


def test_info(files):
    put(files.paths, 7, info=b"Fs@x\0")
    os.utime(files.paths.info(7), (1000, 1000))
    assert files.info(7) == (b"s@x", 1000)
    put(files.paths, 8, info=b"Fcut")
    assert files.info(8) is None
    assert files.info(9) is None
    assert files.time("info", 7) == 1000
    assert files.time("info", 9) is None


def test_done_marks(files):
    put(files.paths, 7, local=b"Ta@b\0Tc@d\0")
    files.mark_done(0, 7, 5)
    assert open(files.paths.local(7), "rb").read() == b"Ta@b\0Dc@d\0"
    with pytest.raises(OSError):
        files.mark_done(1, 7, 0)


@pytest.mark.parametrize("big", [False, True])
def test_in_todo(tmp_path, big):
    files = Files(make(tmp_path, big_todo=big))
    put(files.paths, 50, todo=b"")
    assert files.in_todo(50)
    assert not files.in_todo(5)


def test_removal_and_names(files):
    put(files.paths, 7, local=b"")
    assert files.remove("local", 7)
    assert not files.remove("local", 7)
    assert files.short("local", 7) == "local/1/7"
    assert files.short("bounce", 7) == "bounce/7"
