"""TLS before the login: CAPA and STLS, where there is TLS and where there is none."""

import pytest

from qmailpy.pop3.login import Login
from tests.dialogue import play

STAMP = b"<7.1000000000@h>"


def test_without_tls_nobody_hears_of_it():
    play(lambda: Login(STAMP), """
        S: +OK <7.1000000000@h>
        C: CAPA
        S: -ERR authorization first
        C: STLS
        S: -ERR authorization first
    """)


def test_what_there_is_before_and_within_tls():
    play(lambda: Login(STAMP, lambda: True), """
        S: +OK <7.1000000000@h>
        C: capa
        S: +OK capabilities follow
        S: TOP
        S: USER
        S: UIDL
        S: IMPLEMENTATION qmailpy
        S: STLS
        S: .
        C: STLS now
        S: -ERR syntax error
        C: USER joe
        S: +OK{}
        C: stls
        S: +OK begin TLS now
    """)
    play(lambda: Login(STAMP, secure=True), """
        S: +OK <7.1000000000@h>
        C: CAPA
        S: +OK capabilities follow
        S: TOP
        S: USER
        S: UIDL
        S: IMPLEMENTATION qmailpy
        S: .
        C: STLS
        S: -ERR authorization first
    """)


def test_tls_that_cannot_be_had_leaves_the_session_as_it_is():
    play(lambda: Login(STAMP, lambda: False), """
        S: +OK <7.1000000000@h>
        C: USER joe
        S: +OK{}
        C: STLS
        S: -ERR TLS is not available now
        C: QUIT
        S: +OK{}
    """)


@pytest.mark.parametrize("step", [1, 100])
def test_nothing_behind_stls_is_looked_at(step):
    login, said = Login(STAMP, lambda: True), b"STLS\r\nUSER evil\r\nPASS x\r\n"
    heard = [answer for at in range(0, len(said), step) if not login.over for answer in login.feed(said[at:at + step])]
    assert heard == [b"+OK begin TLS now\r\n"]
    assert (login.wants_tls, login.credentials) == (True, None)


def test_a_client_is_greeted_once():
    assert Login(STAMP, secure=True, greeted=True).greeting() == b""
