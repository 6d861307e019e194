"""Lines from pieces."""

from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.lines import LineBuffer


def lines(pieces, limit=10):
    buffer, found = LineBuffer(limit), []
    for piece in pieces:
        buffer.add(piece)
        while (line := buffer.next_line()) is not None:
            found.append(line[0])
    return found, buffer


def test_whole_and_partial_lines():
    found, buffer = lines([b"ab", b"c\nd", b"\n\nrest"])
    assert found == [b"abc", b"d", b""]
    assert buffer.take() == b"rest"
    assert buffer.take() == b""


def test_a_line_that_is_too_long_is_given_as_none_once():
    found, buffer = lines([b"x" * 11, b"y" * 100, b"\nok\n", b"x" * 11 + b"\n", b"x" * 10 + b"\n"])
    assert found == [None, b"ok", None, b"x" * 10]
    assert buffer.take() == b""


@given(st.binary(max_size=80), st.integers(1, 9))
def test_pieces_change_nothing(data, size):
    assert lines([data[at:at + size] for at in range(0, len(data), size)], 200)[0] == data.split(b"\n")[:-1]


def test_lines_are_handed_out_as_they_are_asked_for():
    buffer = LineBuffer(10)
    buffer.add(b"a\nb\nc")
    assert buffer.next_line() == (b"a",)
    buffer.add(b"")
    buffer.add(b"d\ne")
    assert buffer.next_line() == (b"b",)
    assert buffer.next_line() == (b"cd",)
    assert buffer.take() == b"e"
    assert buffer.next_line() is None


def test_it_is_empty_when_not_even_a_line_has_begun():
    buffer = LineBuffer(3)
    assert buffer.empty
    buffer.add(b"a\nb")
    assert not buffer.empty
    assert buffer.next_line() == (b"a",)
    assert buffer.next_line() is None
    assert not buffer.empty
    buffer.add(b"\n")
    assert buffer.next_line() == (b"b",)
    assert buffer.empty
    buffer.add(b"x" * 10)
    assert buffer.next_line() is None
    assert not buffer.empty  # the rest of a line that is too long is still to come
    buffer.add(b"\n")
    assert buffer.next_line() == (None,)
    assert buffer.empty
