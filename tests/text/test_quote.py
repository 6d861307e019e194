"""Quotes in addresses: as few as possible, and never a changed meaning."""

import pytest
from hypothesis import given, strategies

from qmailpy.text.header import plain, tokens
from qmailpy.text.quote import in_quotes, needs_quotes, quoted


@pytest.mark.parametrize("box", [b"joe", b"a.b", b"a+b=c", b"!#$%&'*/?^_`{|}~-"])
def test_plain_boxes_stand_as_they_are(box):
    assert not needs_quotes(box)
    assert quoted(box + b"@h") == box + b"@h"


@pytest.mark.parametrize("box", [b"", b"a b", b".a", b"a.", b"a..b", b"a@b", b'a"b', b"a\\b", b"a,b", b"a(b", b"\xe9", b"\x7f", b"a\tb"])
def test_other_boxes_need_quotes(box):
    assert needs_quotes(box)
    assert quoted(box + b"@h") == in_quotes(box) + b"@h"


def test_escapes():
    assert in_quotes(b'a"b\\c') == b'"a\\"b\\\\c"'


def test_the_last_at_divides():
    assert quoted(b"a@b@c") == b'"a@b"@c'


def test_without_host_and_empty():
    assert quoted(b"a b") == b'"a b"'
    assert quoted(b"") == b""


@given(strategies.binary(min_size=1).filter(lambda box: not set(box) & set(b"\r\n\0")))
def test_what_is_quoted_means_the_same(box):
    assert plain(tokens(quoted(box + b"@h.example"))) == box + b"@h.example"
