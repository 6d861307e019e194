"""Records of queue files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.envelope import RecordReader, number, sender_of


def read(blocks):
    reader, found = RecordReader(), []
    for block in blocks:
        reader.feed(block)
        while (record := reader.next_record()) is not None:
            found.append(record)
    return found


def test_records_and_where_they_begin():
    assert read([b"Ta\0Dbc\0\0Tunfinished"]) == [(b"T", b"a", 0), (b"D", b"bc", 3), (b"", b"", 7)]


@given(st.lists(st.binary(min_size=1, max_size=6).filter(lambda record: b"\0" not in record), max_size=8), st.integers(1, 5))
def test_blocks_change_nothing(records, size):
    data = b"".join(record + b"\0" for record in records)
    found = read([data[at:at + size] for at in range(0, len(data), size)])
    assert [letter + text for letter, text, _ in found] == records
    assert all(data[begin:].startswith(letter + text + b"\0") for letter, text, begin in found)


@pytest.mark.parametrize(("info", "sender"), [(b"Fa@b\0", b"a@b"), (b"F\0", b""), (b"Fa@b", None), (b"", None), (b"Xa\0", None), (b"Fa\0junk", b"a"), (b"\0", None)])
def test_senders(info, sender):
    assert sender_of(info) == sender


def test_numbers():
    assert (number(b"42"), number(b"4x"), number(b"x"), number(b"")) == (42, 4, 0, 0)


def test_a_number_without_end():
    assert (number(b"12x"), number(b""), number(b"9" * 5000)) == (12, 0, int("9" * 20))
