"""lock/tcpto: the records as C has them, and when a host counts as dead."""

import pytest

from qmailpy.queue.tcpto import RECORD, SIZE, DeadHosts, parse

ONE, TWO = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
NOW = 1700000000


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "tcpto"
    path.write_bytes(bytes(SIZE))
    return path


def hosts(table):
    return DeadHosts(str(table), 0)


def test_two_timeouts_make_a_host_dead_for_an_hour_or_so(table):
    for count, when in ((1, NOW), (1, NOW + 60), (2, NOW + 200)):  # the second came too soon to count
        hosts(table).note(ONE, True, when)
        assert parse(table.read_bytes())[0].count == count
    assert hosts(table).is_dead(ONE, NOW + 300)
    assert not hosts(table).is_dead(ONE, NOW + 200 + 60 * 64)
    assert not hosts(table).is_dead(TWO, NOW + 300)
    assert DeadHosts(str(table), 31).is_dead(ONE, NOW + 200 + 60 * 64)


def test_the_record_is_the_one_that_c_reads(table):
    hosts(table).note(ONE, True, NOW)
    assert table.read_bytes()[:RECORD] == ONE + b"\1\0\0\0" + NOW.to_bytes(4, "little") + bytes(4)
    assert len(table.read_bytes()) == SIZE


def test_an_answer_clears_a_count_that_was_seen(table):
    hosts(table).note(ONE, True, NOW)
    hosts(table).note(ONE, False, NOW + 5)  # not seen by this process: left
    assert parse(table.read_bytes())[0].count == 1
    dead = hosts(table)
    assert not dead.is_dead(ONE, NOW)
    dead.note(ONE, False, NOW + 5)
    assert parse(table.read_bytes())[0].count == 0


def test_a_full_table_gives_up_the_oldest(table):
    for number in range(SIZE // RECORD):
        hosts(table).note(bytes([10, 0, 0, number]), True, NOW + number)
    hosts(table).note(TWO, True, NOW + 1000)
    addresses = [record.address for record in parse(table.read_bytes())]
    assert addresses[0] == TWO
    assert bytes([10, 0, 0, 1]) in addresses


def test_counts_stop_at_ten(table):
    for turn in range(30):
        hosts(table).note(ONE, True, NOW + 1000 * turn)
    assert parse(table.read_bytes())[0].count == 10


@pytest.mark.parametrize("content", [b"", b"short", None])
def test_no_table_no_dead_hosts(tmp_path, content):
    path = tmp_path / "tcpto"
    if content is not None:
        path.write_bytes(content)
    hosts(path).note(ONE, True, NOW)
    assert not hosts(path).is_dead(ONE, NOW)
