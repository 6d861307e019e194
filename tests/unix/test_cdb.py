"""Constant databases: lookups, damage, builds."""

import os
import time
import tracemalloc

import pytest

from qmailpy.exits import Temporary
from qmailpy.unix.cdb import Reader, Unopenable, build, lookup, write

RECORDS = [(b"one", b"1"), (b"two", b"22"), (b"", b"wild"), (b"one", b"second"), (b"\xff\0", b"\0\xff")]


@pytest.fixture
def table(tmp_path):
    path = str(tmp_path / "cdb")
    write(path, RECORDS)
    return path


def test_lookups(table):
    reader = Reader(table)
    assert not reader.absent
    assert [reader.get(key) for key in (b"one", b"two", b"", b"\xff\0", b"three")] == [b"1", b"22", b"wild", b"\0\xff", None]
    assert lookup(table, b"two") == b"22"


def test_an_absent_table_is_empty(tmp_path):
    assert lookup(str(tmp_path / "none"), b"x") is None
    assert Reader(str(tmp_path / "none")).absent


def test_what_cannot_be_read_is_temporary(tmp_path):
    with pytest.raises(Temporary, match="unable to read"):
        Reader(str(tmp_path))
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Unopenable, match="unable to open"):
        Reader(str(tmp_path / "loop"))
    for size in (0, 10, 2047):
        path = tmp_path / "short"
        path.write_bytes(bytes(size))
        with pytest.raises(Temporary, match="damaged"):
            lookup(str(path), b"x")


def test_damage_is_never_an_endless_loop_or_another_exception(tmp_path):
    whole, path, begin = build(RECORDS), tmp_path / "cdb", time.monotonic()
    for at in [*range(0, 2048, 37), *range(2048, len(whole))]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:])
        for key in (b"one", b"two", b"three"):
            try:
                lookup(str(path), key)
            except Temporary:
                pass
    for size in range(2048, len(whole), 5):
        path.write_bytes(whole[:size])
        for key in (b"one", b"two"):
            try:
                lookup(str(path), key)
            except Temporary:
                pass
    assert time.monotonic() - begin < 20


HEADER = b"".join((2048 + 8 * (at > 5381 % 256)).to_bytes(4, "little") + (at == 5381 % 256).to_bytes(4, "little") for at in range(256))


@pytest.mark.parametrize("damage", [
    HEADER + b"\x01\0\0\0\0\x08\0\0",  # no empty slot: a search would go round for ever
    HEADER + b"\x05\x15\0\0\xff\xff\xff\xff", HEADER + b"\x05\x15\0\0\0\0\0\x01", HEADER + b"\x05\x15\0\0\x01\0\0\0",  # a record beyond the end, in the header
    bytes(2048), HEADER[:2040] + bytes(8) + bytes(8), HEADER + bytes(16), HEADER, b"\0\x08\0\0\xff\xff\xff\xff" + HEADER[8:],
])
def test_what_cannot_be_is_damage_and_not_an_absent_key(tmp_path, damage):
    path = tmp_path / "cdb"
    path.write_bytes(damage)
    with pytest.raises(Temporary, match="damaged"):
        lookup(str(path), b"")


def test_what_is_missing_or_zero_is_not_taken_for_an_absent_key(tmp_path):
    whole, path = build(RECORDS), tmp_path / "cdb"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(Temporary, match="damaged"):
            lookup(str(path), b"three")
    for at in range(0, 2048, 8):
        path.write_bytes(whole[:at] + bytes(8) + whole[at + 8:])
        with pytest.raises(Temporary, match="damaged"):
            lookup(str(path), b"one")
    for at in range(2048, int.from_bytes(whole[:4], "little") - 30):
        path.write_bytes(whole[:at] + bytes(30) + whole[at + 30:])
        for key, _ in RECORDS:
            try:
                assert lookup(str(path), key) is not None
            except Temporary:
                pass


def test_an_empty_table_has_nothing(tmp_path):
    path = str(tmp_path / "cdb")
    write(path, [])
    assert lookup(path, b"one") is None


def test_a_build_that_fails_leaves_the_old_table(table, tmp_path):
    def broken():
        yield b"a", b"b"
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        write(table, broken())
    assert lookup(table, b"one") == b"1"
    assert os.listdir(tmp_path) == ["cdb"]


def test_many_records(tmp_path):
    path = str(tmp_path / "big")
    write(path, ((b"key%d" % number, b"value%d" % number) for number in range(3000)))
    reader = Reader(path)
    assert all(reader.get(b"key%d" % number) == b"value%d" % number for number in range(0, 3000, 7))
    assert reader.get(b"key3000") is None


def test_a_table_is_not_read_whole_and_its_descriptor_is_given_back(tmp_path):
    path = str(tmp_path / "big")
    write(path, ((b"key%d" % number, bytes(1 << 20)) for number in range(8)))
    before = os.listdir("/proc/self/fd")
    tracemalloc.start()
    reader = Reader(path)
    assert reader.get(b"nothing") is None
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert len(reader.get(b"key7")) == 1 << 20
    del reader
    assert os.listdir("/proc/self/fd") == before


def test_a_table_that_shrinks_under_the_reader_is_damaged(table):
    reader = Reader(table)
    os.truncate(table, 2048)
    with pytest.raises(Temporary, match="damaged"):
        reader.get(b"one")
