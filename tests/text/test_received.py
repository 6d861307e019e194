"""The Received field of a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.received import Client, protocol, received, safe


@pytest.mark.parametrize(("client", "helo", "begin"), [
    (Client(b"192.0.2.1", b"h.example", b"me", b"mx"), b"x", b"Received: from h.example (HELO x) (me@192.0.2.1)\n  by mx with SMTP; "),
    (Client(b"2001:db8::1"), None, b"Received: from unknown (2001:db8::1)\n  by unknown with SMTP; "),
    (Client(b"", b"", b"", b""), b"", b"Received: from  (HELO ) (@)\n  by  with SMTP; "),
])
def test_what_is_told(client, helo, begin):
    assert received(b"SMTP", client, helo, 1000000000) == begin + b"9 Sep 2001 01:46:40 -0000\n"


@given(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30))
def test_strangers_cannot_add_lines_or_comments(ip, host, info, helo):
    field = received(b"SMTP", Client(ip, host, info), helo, 0)
    assert field.count(b"\n") == 2
    assert field.count(b"(") == field.count(b")") == 2
    assert field.isascii()


@pytest.mark.parametrize(("cipher", "how", "words"), [
    (None, {}, b"SMTP"),
    (None, {"authenticated": True}, b"ESMTPA"),
    (b"C", {}, b"ESMTPS (C encrypted)"),
    (b"C", {"authenticated": True}, b"ESMTPSA (C encrypted, authenticated)"),
    (b"", {"authenticated": True}, b"ESMTPSA (encrypted, authenticated)"),
    (b"C", {"vouched": b"a(b)\r\nc@d"}, b"ESMTPS (C encrypted)\n  (cert a?b???c@d)"),
])
def test_how_a_message_came(cipher, how, words):
    assert protocol(cipher, **how) == words


def test_safe_bytes():
    assert safe(b"a.Z@9%+/=:-[]") == b"a.Z@9%+/=:-[]"
    assert safe(b"a b\r\n(\xff\0;") == b"a?b?????" + b"?"
