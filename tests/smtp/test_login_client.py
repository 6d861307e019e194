"""AUTH as a client."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.smtp.client import Reply
from qmailpy.smtp.login_client import UNKNOWN, Login, decoded, encoded, hmac_md5, log_in

USER, PASSWORD = b"joe", b"my:secret word"
CHALLENGE = base64.b64encode(b"<1896.697170952@postoffice.reston.mci.net>")


def talk(offered, replies, *, encrypted=False, login=Login(USER, PASSWORD)):
    """(the lines that were sent, where it was refused, the notes) with these replies in turn."""
    notes, sent = [], []
    steps = log_in(login, offered, encrypted, notes)
    reply = None
    for text in (None, *replies):
        if text is not None:
            reply = Reply(int(text[:3]), text + b"\n")
        try:
            sent.append(steps.send(reply))
        except StopIteration as end:
            return sent, end.value, notes
    raise AssertionError("it goes on")


PLAIN = [b"AUTH PLAIN\r\n", base64.b64encode(b"\0joe\0my:secret word") + b"\r\n"]
LOGIN = [b"AUTH LOGIN\r\n", base64.b64encode(USER) + b"\r\n", base64.b64encode(PASSWORD) + b"\r\n"]
CRAM = [b"AUTH CRAM-MD5\r\n", base64.b64encode(b"joe " + hmac.new(PASSWORD, base64.b64decode(CHALLENGE), hashlib.md5).hexdigest().encode()) + b"\r\n"]
ALL = {b"LOGIN", b"PLAIN", b"CRAM-MD5", b"GSSAPI"}


@pytest.mark.parametrize(("offered", "encrypted", "sent"), [
    (ALL, False, CRAM), (ALL, True, CRAM), (ALL - {b"CRAM-MD5"}, False, LOGIN), (ALL - {b"CRAM-MD5"}, True, PLAIN), ({b"PLAIN"}, False, PLAIN), ({b"LOGIN"}, True, LOGIN),
])
def test_the_order_of_mechanisms(offered, encrypted, sent):
    replies = [b"334 " + CHALLENGE] * (len(sent) - 1) + [b"235 ok"]
    assert talk(offered, replies, encrypted=encrypted) == (sent, None, [])


@pytest.mark.parametrize("offered", [set(), {b"GSSAPI", b"NTLM"}])
def test_without_a_known_mechanism_it_goes_on_without(offered):
    assert talk(offered, []) == ([], None, [UNKNOWN])


@pytest.mark.parametrize(("mechanism", "replies", "where"), [
    (b"LOGIN", [b"535 no"], "AUTH LOGIN"), (b"LOGIN", [b"334 x", b"454 later"], "username"), (b"LOGIN", [b"334 x", b"334 x", b"535 no"], "password"),
    (b"LOGIN", [b"235 what?"], "AUTH LOGIN"), (b"LOGIN", [b"334 x", b"334 x", b"334 x"], "password"),
    (b"PLAIN", [b"503 no"], "AUTH PLAIN"), (b"PLAIN", [b"334 ", b"535 no"], "AUTH PLAIN"), (b"CRAM-MD5", [b"454 no"], "AUTH CRAM-MD5"),
    (b"CRAM-MD5", [b"334 " + CHALLENGE, b"535 no"], "AUTH CRAM-MD5"), (b"CRAM-MD5", [b"334 *"], "AUTH CRAM-MD5"), (b"CRAM-MD5", [b"334 abc"], "AUTH CRAM-MD5"),
])
def test_where_it_was_refused(mechanism, replies, where):
    _, refused, _ = talk({mechanism}, replies)
    assert (refused[0], refused[1].text) == (where, replies[-1] + b"\n")


@pytest.mark.parametrize("words", [b"535 wrong: my:secret word", b"500 unknown command BXK6C2VJCMV0IHDVCMQ=", b"500 what? AGpvZQBteTpzZWNyZXQgd29yZA=="])
@pytest.mark.parametrize("mechanism", [b"LOGIN", b"PLAIN"])
def test_what_a_server_repeats_of_a_secret_is_told_to_nobody(mechanism, words):
    _, refused, _ = talk({mechanism}, [b"334 x"] * {b"LOGIN": 2, b"PLAIN": 1}[mechanism] + [words])
    assert refused[1].text == words[:3] + b" (not shown, since it repeats what it was sent)\n"
    assert refused[1].code == int(words[:3])


def test_hmac_as_rfc_2195_shows_it():
    assert hmac_md5(b"tanstaaftanstaaf", b"<1896.697170952@postoffice.reston.mci.net>") == b"b913a602c7eda7a495b4e6e7334d3890"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_hmac_as_the_standard_library_has_it(key, text):
    assert hmac_md5(key, text).decode() == hmac.new(key, text, hashlib.md5).hexdigest()


@given(st.binary(max_size=300))
def test_base64(data):
    assert encoded(data) == base64.b64encode(data)
    assert decoded(encoded(data)) == data
