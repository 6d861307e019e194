"""AUTH exchanges: the bytes of each mechanism, what makes no sense, and anything at all."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.smtp.auth import Credentials, Malformed, begin

STAMP = b"<1234.1218446400@mx.example.org>"


def hold(mechanism, initial, *answers):
    """(the challenges, what is handed over) of an exchange."""
    exchange, asked = begin(mechanism, initial, lambda: STAMP), []
    for answer in answers:
        asked.append(exchange.challenge)
        assert exchange.credentials is None
        exchange.answer(answer)
    return asked, exchange.credentials and exchange.credentials.handed_over()


@pytest.mark.parametrize(("mechanism", "initial", "answers", "asked", "handed_over"), [
    (b"PLAIN", b"AGJvYgBzZWNyZXQ=", [], [], b"bob\0secret\0\0"),
    (b"plain", b"", [b"AGJvYgBzZWNyZXQ="], [b""], b"bob\0secret\0\0"),
    (b"PLAIN", b"YWRtaW4AYm9iAHNlY3JldA==", [], [], b"bob\0secret\0\0"),
    (b"LOGIN", b"", [b"Ym9i", b"c2VjcmV0"], [b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"], b"bob\0secret\0\0"),
    (b"Login", b"Ym9i", [b"c2VjcmV0"], [b"UGFzc3dvcmQ6"], b"bob\0secret\0\0"),
    (b"CRAM-MD5", b"", [b"Ym9iIGI4ZmU2ZDRmOTRiZTZkNjA3ZjZjNzE4ZjE0YjIyOTUw"], [b"PDEyMzQuMTIxODQ0NjQwMEBteC5leGFtcGxlLm9yZz4="],
     b"bob\0b8fe6d4f94be6d607f6c718f14b22950\0<1234.1218446400@mx.example.org>\0"),
    (b"CRAM-MD5", b"", [b64encode(b"bob the builder " + b"0A" * 16)], [b64encode(STAMP)], b"bob the builder\0" + b"0A" * 16 + b"\0" + STAMP + b"\0"),
])
def test_what_is_handed_over(mechanism, initial, answers, asked, handed_over):
    assert hold(mechanism, initial, *answers) == (asked, handed_over)


@pytest.mark.parametrize(("mechanism", "initial", "answers"), [
    *((b"PLAIN", b64encode(words), []) for words in (
        b"bob", b"bob\0secret", b"\0\0secret", b"\0bob\0", b"\0bob\0secret\0", b"\0bob\0sec\0ret", b"\0" + b"b" * 505 + b"\0secret")),
    *((b"PLAIN", b"", [line]) for line in (b"", b"=", b"AGJvYgBzZWNyZXQ", b"AGJvYgBzZWNyZXQ= ", b"AGJv YgBzZWNyZXQ=", b"AGJvYgBzZWNyZXQ===", b"\xff", b"\0")),
    (b"PLAIN", b"=", []),
    (b"LOGIN", b"=", []), (b"LOGIN", b"", [b""]), (b"LOGIN", b"Ym9i", [b""]), (b"LOGIN", b"Ym9i", [b"!"]), (b"LOGIN", b"YgBi", [b"c2VjcmV0"]),
    (b"LOGIN", b"Ym9i", [b64encode(b"sec\0ret")]), (b"LOGIN", b"Ym9i", [b64encode(b"s" * 508)]),
    (b"CRAM-MD5", b"Ym9i", []), (b"CRAM-MD5", b"=", []),
    *((b"CRAM-MD5", b"", [b64encode(words)]) for words in (
        b"bob", b" " + b"a" * 32, b"bob " + b"a" * 31, b"bob " + b"a" * 33, b"bob " + b"g" * 32, b"b\0b " + b"a" * 32, b"a" * 32)),
])
def test_what_makes_no_sense(mechanism, initial, answers):
    with pytest.raises(Malformed):
        hold(mechanism, initial, *answers)


@pytest.mark.parametrize("mechanism", [b"", b"DIGEST-MD5", b"PLAIN-X", b"\xff", b"XOAUTH2"])
def test_what_is_not_known(mechanism):
    assert begin(mechanism, b"", lambda: STAMP) is None


def test_as_much_as_fits():
    assert len(Credentials(b"b" * 3, b"s" * 506).handed_over()) == 512


@given(st.sampled_from([b"PLAIN", b"LOGIN", b"CRAM-MD5"]), st.lists(st.one_of(st.binary(max_size=600), st.binary(max_size=600).map(b64encode)), max_size=3))
def test_anything_ends_with_credentials_of_three_strings_or_makes_no_sense(mechanism, answers):
    try:
        exchange = begin(mechanism, b"", lambda: STAMP)
        for answer in answers:
            if exchange.credentials is None:
                exchange.answer(answer)
    except Malformed:
        return
    if exchange.credentials is None:
        assert exchange.challenge is not None
        return
    handed_over = exchange.credentials.handed_over()
    name, secret, stamp = handed_over.removesuffix(b"\0").split(b"\0")
    assert name == exchange.credentials.name
    assert name
    assert secret
    assert stamp == (STAMP if mechanism == b"CRAM-MD5" else b"")
    assert len(handed_over) <= 512
