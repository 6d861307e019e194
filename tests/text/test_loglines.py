"""Log lines as syslog entries."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.loglines import WIDTH, LogLines, printable


def entries(data, step=1 << 20):
    """[(kind, text)] of what comes; the stamps are 1, 2, ..."""
    counter = itertools.count(1)
    lines = LogLines(lambda: str(next(counter)))
    return [(entry.kind, entry.text) for at in range(0, len(data), step) for entry in lines.feed(data[at:at + step])]


@pytest.mark.parametrize(("line", "kind"), [
    (b"new msg 1", "info"), (b"warning: x", "warning"), (b"alert: x", "alert"), (b"warning", "info"), (b"status: warning: x", "info"), (b"Alert: x", "info"),
    (b" alert: x", "info"), (b"alert:", "alert"),
])
@pytest.mark.parametrize("step", [1, 5, 100])
def test_the_first_word_tells_the_kind(line, kind, step):
    assert entries(line + b"\n", step) == [(kind, f"1 {line.decode()}")]


def test_blank_lines_are_none_and_what_has_no_end_waits():
    assert entries(b"\n\na\n\nb\nno end") == [("info", "1 a"), ("info", "2 b")]


def test_bytes_that_are_not_printable():
    assert entries(b"a\0b\x1b[2Jc\xe9\td%s\r\n") == [("info", "1 a?b?[2Jc??d%s?")]
    assert printable(bytes(range(256))) == "?" * 32 + "".join(map(chr, range(32, 127))) + "?" * 129


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize("size", [WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH, 2 * WIDTH + 1])
def test_a_long_line_goes_on_under_its_first_stamp_and_kind(size, step):
    line = b"alert: ".ljust(size, b"x")
    found = entries(line + b"\nshort\n", step)
    assert found[-1] == ("info", "2 short")
    assert {kind for kind, _ in found[:-1]} == {"alert"}
    parts = [text for _, text in found[:-1]]
    assert [text[:2] for text in parts] == ["1 ", *["1+"] * (len(parts) - 1)]
    assert "".join(text[2:] for text in parts) == line.decode()
    assert [len(text) - 2 for text in parts[:-1]] == [WIDTH] * (len(parts) - 1)


@given(st.lists(st.sampled_from([b"a", b"\n", b"warning: ", b"x" * WIDTH, b"\xff"]), max_size=12), st.integers(1, 900))
def test_pieces_make_no_difference(pieces, step):
    assert entries(b"".join(pieces), step) == entries(b"".join(pieces))


def test_a_line_without_end_is_given_out_in_parts_and_never_gathered():
    lines = LogLines(lambda: "1")
    for _ in range(100):
        list(lines.feed(b"x" * 100000))
        assert len(lines._part) <= WIDTH
