"""Header fields: names, tokens, lists of addresses, folding."""

import pytest
from hypothesis import given, strategies

from qmailpy.text.header import (
    AT, ATOM, COMMA, COMMENT, DOT, LITERAL, QUOTED, AddressList, Unparsable, field, name, plain, tokens,
)

FIELDISH = strategies.text(alphabet='abx@.,:;<>()[]"\\ \t\n\r\0+é', max_size=60).map(lambda text: text.encode())


def addresses(text):
    """(addresses as in the envelope, the field again) of the list in a field."""
    found = []

    def note(address):
        found.append(plain(address))
        return address

    return found, field(AddressList(tokens(text), note).changed())


@pytest.mark.parametrize(("line", "expected"), [
    (b"To: x\n", b"to"),
    (b"MESSAGE-ID :x\n", b"message-id"),
    (b"x\t :\n", b"x"),
    (b"Strange!Name: x\n", b"strange!name"),
    (b": x\n", b""),
    (b" To: x\n", b""),
    (b"T o: x\n", b""),
    (b"To\n", b""),
    (b"T\xe9: x\n", b""),
    (b"T\x7f: x\n", b""),
    (b"\n", b""),
])
def test_names(line, expected):
    assert name(line) == expected


def test_tokens():
    assert tokens(b'a.b@c,"d \\"e" [1.2] (f (g) h)') == [
        (ATOM, b"a"), DOT, (ATOM, b"b"), AT, (ATOM, b"c"), COMMA, (QUOTED, b'd "e'), (LITERAL, b"1.2"), (COMMENT, b"f g h")]


def test_an_atom_that_could_not_stand_counts_as_quoted():
    assert tokens(b"a)b a\\,b \xe9 a\\") == [(QUOTED, b"a)b"), (QUOTED, b"a,b"), (QUOTED, b"\xe9"), (ATOM, b"a")]


@pytest.mark.parametrize("text", [b"(a", b'"a', b"[a", b"(a (b)", b"(a\\", b")", b"]", b'"\\"', b"\\", b"a \\"])
def test_what_is_not_closed_or_not_opened_is_refused(text):
    with pytest.raises(Unparsable):
        tokens(text)


@pytest.mark.parametrize(("text", "expected"), [
    (b'"a b".c@d (e)', b"a b.c@d"),
    (b"a@[1.2.3.4]", b"a@[1.2.3.4]"),
    (b'"a\n b"@c', b"a b@c"),
    (b'"a\r\n b"@c', b"a b@c"),
    (b"a\\ b@c", b"a b@c"),
])
def test_addresses_of_envelopes(text, expected):
    assert plain(tokens(text)) == expected


@pytest.mark.parametrize("text", [b'"a\rb"@c', b"a\0b@c", b"a\\\r@c"])
def test_no_envelope_can_hold_these(text):
    with pytest.raises(Unparsable):
        plain(tokens(text))


@pytest.mark.parametrize(("text", "found", "line"), [
    (b"To: a, b", [b"b", b"a"], b"To: a, b\n"),
    (b"To:a@b", [b"a@b"], b"To: a@b\n"),
    (b"To:", [], b"To:\n"),
    (b"To: a b", [b"b", b"a"], b"To: a, b\n"),
    (b"To: a,, b,", [b"b", b"a"], b"To: a, , b,\n"),
    (b"To: <>", [b""], b"To: <>\n"),
    (b"To: Joe X. <a@b> (c)", [b"a@b"], b"To: Joe X. <a@b>(c)\n"),
    (b"To: a <b> c", [b"c", b"b"], b"To: a <b>, c\n"),
    (b"To: g: a, b;, c", [b"c", b"b", b"a"], b"To: g: a, b;, c\n"),
    (b"To: g:;", [], b"To: g: ;\n"),
    (b"To: a (b) @ c", [b"a@c"], b"To: a@c (b)\n"),
    (b"To: <@x,@y:a@b>", [b"@x,@y:a@b"], b"To: <@x, @y: a@b>\n"),
])
def test_lists(text, found, line):
    assert addresses(text) == (found, line)


@pytest.mark.parametrize("text", [b"To: a>", b"To: a: b", b"To: a;b;", b"To: ;;"])
def test_lists_that_make_no_sense(text):
    with pytest.raises(Unparsable):
        addresses(text)


def test_folding_is_late_and_after_commas_only():
    long = b"a" * 30
    assert field(tokens(b"To: %s, %s, %s, b" % (long, long, long))) == b"To: %s, %s,\n  %s, b\n" % (long, long, long)


@pytest.mark.parametrize(("size", "line"), [(71, b"To: %s, b\n"), (72, b"To: %s,\n  b\n")])
def test_a_line_has_at_most_78_characters(size, line):
    first = b"a" * size
    assert field(tokens(b"To: %s, b" % first)) == line % first


def test_a_list_that_ends_with_a_comma_gets_no_empty_line():
    assert field(tokens(b"To: %s," % (b"a" * 100))) == b"To: %s,\n" % (b"a" * 100)


@given(FIELDISH)
def test_any_bytes_are_understood_or_refused(text):
    try:
        found, line = addresses(b"To: " + text)
    except Unparsable:
        return
    assert not any(set(address) & set(b"\r\n\0") for address in found)
    assert line.endswith(b"\n")


@given(FIELDISH.filter(lambda text: not set(text) & set(b"\r\n\0")))
def test_a_field_that_is_written_reads_the_same(text):
    try:
        found, line = addresses(b"To: " + text)
    except Unparsable:
        return
    assert addresses(line) == (found, line)
