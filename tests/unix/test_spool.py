"""Bytes that are kept until all have come."""

import os
import tracemalloc

import pytest

from qmailpy.unix import spool
from qmailpy.unix.spool import IN_MEMORY, NoRoom, Spool, nameless, without_name


def everything(kept):
    return b"".join(kept.blocks())


@pytest.fixture
def piped(tmp_path):
    """Makes a descriptor, of a pipe that never seeks, that gives some bytes."""
    opened = []

    def source(data):
        (tmp_path / "data").write_bytes(data)
        opened.append(os.popen(f"cat {tmp_path}/data"))
        return opened[-1].fileno()

    yield source
    for one in opened:
        one.close()


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY - 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY + 7])
def test_what_a_pipe_gives(piped, size):
    data = os.urandom(size)
    kept = Spool(piped(data))
    assert kept.size == size
    assert everything(kept) == everything(kept) == data
    kept.close()


def test_a_file_stays_where_it_is_from_where_it_was_read_to(tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    fd = os.open(tmp_path / "file", os.O_RDWR)
    os.read(fd, 3)
    kept = Spool(fd)
    assert (kept.size, everything(kept), os.lseek(fd, 0, os.SEEK_CUR)) == (7, b"3456789", 3)
    os.truncate(fd, 5)
    with pytest.raises(OSError, match="shorter"):
        everything(kept)
    kept.close()
    os.fstat(fd)  # it is not ours to close
    os.close(fd)


def test_pieces():
    kept, before = Spool(), os.listdir("/proc/self/fd")
    data = b"".join(b"%d," % number for number in range(500000))
    for at in range(0, len(data), 5000):
        kept.add(data[at:at + 5000])
    assert (kept.size, everything(kept)) == (len(data), data)
    kept.close()
    kept.close()
    assert os.listdir("/proc/self/fd") == before


def test_much_needs_little_memory():
    kept, block = Spool(), bytes(1 << 20)
    tracemalloc.start()
    for _ in range(50):
        kept.add(block)
    for _ in kept.blocks():
        pass
    assert tracemalloc.get_traced_memory()[1] < 4 * IN_MEMORY
    tracemalloc.stop()
    kept.close()


@pytest.mark.parametrize("make", [without_name, nameless])
def test_the_file_has_no_name(tmp_path, make):
    fd = make(str(tmp_path))
    assert os.listdir(tmp_path) == []
    assert os.fstat(fd).st_mode & 0o777 == 0o600
    assert not os.get_inheritable(fd)
    os.write(fd, b"x")
    assert os.pread(fd, 2, 0) == b"x"
    os.close(fd)


def test_no_place_or_no_room(monkeypatch, tmp_path):
    monkeypatch.setattr(spool, "FOLDER", str(tmp_path / "none"))
    kept = Spool()
    kept.add(bytes(IN_MEMORY))
    with pytest.raises(NoRoom):
        kept.add(b"x")
    monkeypatch.setattr(spool, "without_name", lambda folder: os.open("/dev/full", os.O_RDWR))
    with pytest.raises(NoRoom):
        kept.add(b"x")
    kept.close()


def test_a_source_that_cannot_be_read(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(OSError, match="directory"):
        Spool(fd)
    os.close(fd)
    with pytest.raises(OSError, match="descriptor"):
        Spool(fd)
