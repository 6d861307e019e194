"""Addresses in MAIL and RCPT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.address import LIMIT, domain, literal, parameters, path


@pytest.mark.parametrize(("argument", "address", "rest"), [
    (b"FROM:<a@b>", b"a@b", b""), (b"FROM: <a@b> SIZE=5", b"a@b", b" SIZE=5"), (b"FROM:a@b SIZE=5", b"a@b", b"SIZE=5"), (b"FROM:<>", b"", b""), (b"", b"", b""),
    (b"FROM:<@x,@y:a@b>", b"a@b", b""), (b"FROM:<@x>", b"", b""), (b'FROM:<"a b"@c>', b"a b@c", b""), (b'FROM:<"a>b"@c>', b"a>b@c", b""),
    (b"FROM:<a\\@b@c>", b"a@b@c", b""), (b"FROM:<a@b", b"a@b", b""), (b"<a@b>junk", b"a@b", b"junk"), (b"anything<a@b>", b"a@b", b""), (b"a@b", b"", b""),
    (b'FROM:<"\\"q\\""@c>', b'"q"@c', b""), (b"FROM:<a b@c>", b"a b@c", b""), (b"FROM:   a@b", b"a@b", b""),
])
def test_paths(argument, address, rest):
    assert path(argument) == (address, rest)


@pytest.mark.parametrize("argument", [b"FROM:<a\0b>", b"FROM:<a\rb>", b"FROM:<a\nb>", b'FROM:<"a\\\0b">', b"FROM:<" + b"x" * LIMIT + b">"])
def test_paths_that_are_refused(argument):
    assert path(argument) is None


def test_the_longest_address():
    assert path(b"FROM:<" + b"x" * (LIMIT - 1) + b">") is not None


@given(st.binary(max_size=60))
def test_no_address_can_break_an_envelope(argument):
    found = path(b"FROM:<" + argument)
    assert found is None or not set(found[0]) & {0, 10, 13}


@pytest.mark.parametrize(("host", "address"), [
    (b"[192.0.2.1]", "192.0.2.1"), (b"[IPv6:2001:db8::1]", "2001:db8::1"), (b"[ipv6:::1]", "::1"), (b"192.0.2.1", None), (b"[192.0.2.1", None), (b"[192.0.2.1]x", None),
    (b"[192.0.2.256]", None), (b"[1.2.3]", None), (b"[01.2.3.4]", "1.2.3.4"), (b"[]", None), (b"[1.2.3.4.]", None),
])
def test_literals(host, address):
    assert literal(host) == address


def test_domain_and_parameters():
    assert (domain(b"a@b@C.Example"), domain(b"none"), domain(b"a@")) == (b"c.example", None, b"")
    assert parameters(b" SIZE=5 BODY=8BITMIME smtputf8") == {b"SIZE": b"5", b"BODY": b"8BITMIME", b"SMTPUTF8": b""}
    assert parameters(b"") == {}
