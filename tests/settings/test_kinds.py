"""How control files are read."""

import pytest

from qmailpy.settings.kinds import Bad, Flag, Line, List, Map, Names, Number, Pem, Routes, Secret, Sizes, digits, numbered


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


@pytest.mark.parametrize(("data", "value"), [(b"1\n", True), (b"2x\n", True), (b"0\n", False), (b"", None), (b"yes\n", None), (b"-1\n", None)])
def test_flags(data, value):
    assert Flag.parse(data) is value
    assert Flag.from_env(data) is bool(value)


def test_names_compare_without_case():
    assert Names.parse(b"A.Example\n# c\nb@C \n") == {b"a.example", b"b@c"}


@pytest.mark.parametrize(("data", "value"), [
    (b"a@B:10k\n", {b"a@b": b"10"}), (b"a:1\nA:2\n", {b"a": b"2"}), (b":7\n#b:1\nc\n", {b"": b"7"}), (b"a:1:2\n", {b"a": b"1"}),
    (b"a:1\na:x\n", {b"a": b"1"}), (b"a:x\na:1\n", {b"a": b"1"}), (b"a:x\na:\n", {b"a": b""}), (b"", {}),
])
def test_sizes(data, value):
    assert Sizes.parse(data) == value


def test_a_pem_file_is_there_or_not():
    assert Pem.parse(b"anything") is True


def test_a_secret_is_a_line():
    assert Secret.parse(b"key \nx") == b"key"


def test_a_variable_with_several_lines_is_a_list():
    assert List.from_env(b"a\nb") == [b"a", b"b"]


@pytest.mark.parametrize(("kind", "data", "public"), [
    (Line, b"x y\n", b"x y\n"), (Secret, b"key\n", b""), (Secret, b"\n", b"\n"), (Pem, b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN CERTIFICATE-----\n"),
    (Pem, b"-----BEGIN EC PRIVATE KEY-----\n", b""), (Routes, b"a:b\n# c d\n", b"a:b\n# c d\n"), (Routes, b"a:b:25 user pass word\n:c", b"a:b:25 (login not shown)\n:c"),
    (Routes, b"a:b\tp", b"a:b (login not shown)"), (Routes, b"a: u p", b"a: (login not shown)"), (Routes, b"relay u p", b"relay (login not shown)"), (Routes, b"a b:c", b"a b:c"),
    (Routes, b"a:b  \n", b"a:b  \n"),
])
def test_what_anybody_may_be_shown(kind, data, public):
    assert kind.public(data) == public
