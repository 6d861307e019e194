"""Netstrings, piece by piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.netstring import Ended, Malformed, Reader, TooLong, encoded


def reader(data, step=1 << 20, left=None):
    pieces = iter([data[at:at + step] for at in range(0, len(data), step)])
    return Reader(lambda: next(pieces, b""), left)


@pytest.mark.parametrize(("data", "text"), [(b"", b"0:,"), (b"hello, world!", b"13:hello, world!,"), (b":,\0", b"3::,\0,")])
def test_encoded(data, text):
    assert encoded(data) == text


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 7))
def test_what_was_encoded_comes_back_however_it_is_cut(strings, step):
    source = reader(b"".join(map(encoded, strings)), step)
    assert [source.string(41) for _ in strings] == strings
    with pytest.raises(Ended):
        source.length()


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(1, 7))
def test_nested_ones(strings, step):
    source = reader(encoded(b"".join(map(encoded, strings))), step)
    source.left = source.length()
    found = []
    while source.left:
        found.append(source.string(21))
    source.left = None
    source.comma()
    assert found == strings


@pytest.mark.parametrize("step", [1, 100])
@pytest.mark.parametrize(("data", "problem"), [
    (b"x", Malformed), (b" 1:x,", Malformed), (b"-1:x,", Malformed), (b"1.x,", Malformed), (b"1:xy", Malformed), (b"1:x;", Malformed),
    (b"", Ended), (b"1", Ended), (b"1:", Ended), (b"1:x", Ended), (b"5:abc,", Ended),
    (b"20000000000:", TooLong), (b"9" * 1000, TooLong),
])
def test_what_is_none(data, problem, step):
    with pytest.raises(problem):
        reader(data, step).string(1000)


def test_no_colon_at_all_is_the_number_nought():
    assert reader(b":,").string(5) == b""


def test_too_long_ones_are_passed_over():
    source = reader(b"5:abcde,2:ab,", 2)
    assert source.string(5) is None
    assert source.string(5) == b"ab"


@pytest.mark.parametrize("data", [b"9:abc,", b"3:abc,", b"4:abcd,"])
def test_an_inner_one_may_not_reach_beyond_the_outer(data):
    with pytest.raises(Malformed):
        reader(data, left=5).string(100)


def test_blocks_come_as_they_are_read():
    source = reader(b"abcdef", 4)
    assert list(source.blocks(5)) == [b"abcd", b"e"]
    assert list(source.blocks(0)) == []
