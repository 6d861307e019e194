"""How control files are read."""

import pytest

from qmailpy.settings.kinds import Bad, Line, List, Map, Number, digits, numbered


@pytest.mark.parametrize(("data", "value"), [
    (b"x\n", b"x"), (b"x", b"x"), (b"a b \t\n", b"a b"), (b"a\nb\n", b"a"), (b"", b""), (b"\na\n", b""), (b" a", b" a"), (b"# a\n", b"# a"),
    (b"a\r\n", b"a\r")])
def test_lines(data, value):
    assert Line.parse(data) == value


@pytest.mark.parametrize(("data", "value"), [
    (b"10\n", 10), (b"10k\n", 10), (b"007", 7), (b"0\n", 0), (b"", None), (b"x\n", None), (b"-1\n", None), (b" 1\n", None), (b"x\n5\n", None), (b"1.5", 1)])
def test_numbers(data, value):
    assert Number.parse(data) == value


def test_a_variable_without_digits_is_0():
    assert [Number.from_env(value) for value in (b"", b"x", b"12x")] == [0, 0, 12]


def test_a_number_of_any_length_is_one():
    assert isinstance(digits(b"9" * 5000), int)


@pytest.mark.parametrize(("data", "value"), [
    (b"a\nb\n", [b"a", b"b"]), (b"a\n\n# c\n \nb", [b"a", b"b"]), (b"a \t\n", [b"a"]), (b" #a\n", [b" #a"]), (b"", []), (b"A\xff\n", [b"A\xff"])])
def test_lists(data, value):
    assert List.parse(data) == value


@pytest.mark.parametrize(("data", "value"), [
    (b"a:b\n", {b"a": b"b"}), (b"A.X:B:c\n", {b"a.x": b"B:c"}), (b"a\nb:\n:c\n", {b"b": b"", b"": b"c"}), (b"a:1\nA:2\n", {b"a": b"2"}), (b"#a:b\n", {}),
    (b"", {})])
def test_maps(data, value):
    assert Map.parse(data) == value


def test_numbered_lines_count_all_lines():
    assert list(numbered(b"# a\n\nb\n c \n")) == [(3, b"b"), (4, b" c")]


def test_a_bad_line_names_its_number():
    assert str(Bad(3, "no colon")) == "line 3: no colon"
