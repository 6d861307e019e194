"""The first part of a POP3 session."""

import pytest

from qmailpy.pop3 import login as module
from qmailpy.pop3.login import Login
from tests.dialogue import play


def login():
    return Login(b"<7.1000000000@h>")


def test_what_is_refused_before_login():
    play(login, """
        S: +OK <7.1000000000@h>
        C: STAT
        S: -ERR authorization first
        C: PASS x
        S: -ERR USER first
        C: USER
        S: -ERR syntax error
        C: USER joe
        S: +OK{}
        C: PASS
        S: -ERR syntax error
        C: APOP joe
        S: -ERR syntax error
        C: NOOP
        S: +OK{}
        C: QUIT
        S: +OK{}
    """.replace("@h", "@h"))


@pytest.mark.parametrize(("said", "credentials"), [
    (b"USER joe\r\nPASS s e c\r\n", (b"joe", b"s e c")), (b"user a\nuser b\npass p\n", (b"b", b"p")), (b"APOP joe 0f\r\n", (b"joe", b"0f")),
])
@pytest.mark.parametrize("step", [1, 100])
def test_credentials(said, credentials, step):
    session = login()
    for at in range(0, len(said), step):
        list(session.feed(said[at:at + step]))
    assert session.credentials == credentials
    assert not session.over


def test_nothing_behind_the_credentials_is_looked_at():
    session = login()
    assert list(session.feed(b"USER a\r\nPASS b\r\nQUIT\r\n")) == [b"+OK \r\n"]
    assert session.credentials == (b"a", b"b")
    assert not session.over


def test_quit_ends_it():
    session = login()
    assert list(session.feed(b"QUIT\r\nUSER a\r\n")) == [b"+OK \r\n"]
    assert session.over


def test_a_client_that_says_anything_but_who_it_is(monkeypatch):
    monkeypatch.setattr(module, "COMMANDS", 2)
    one = login()
    assert b"".join(one.feed(b"NOOP\r\n" * 9)).split(b"\r\n") == [b"+OK "] * 2 + [b"-ERR too many commands", b""]
    assert one.over and one.credentials is None


@pytest.mark.parametrize("said", [b"USER joe\r\nPASS s e c\r\n", b"USER tls\r\nPASS \xff\r\n", b"APOP joe 0f\0x\r\n", b"STLS\r\n", b"QUIT\r\n", b"USER joe\r\n"])
def test_another_process_knows_what_came_of_it(said):
    here, there = (Login(b"<>", lambda: True) for _ in range(2))
    list(here.feed(said))
    there.recall(here.outcome())
    assert (there.credentials, there.wants_tls) == (here.credentials, here.wants_tls)
    assert there.over == (there.credentials is None)
