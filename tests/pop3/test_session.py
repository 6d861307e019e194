"""The second part of a POP3 session."""

import pytest

from qmailpy.pop3 import session as module
from qmailpy.pop3.session import Session
from tests.dialogue import play


class FakeMaildrop:
    """Messages in a list; None: it has gone."""

    def __init__(self, *contents):
        self.contents = list(contents)
        self.sizes = [len(content or b"xx") for content in contents]
        self.kept, self.removed = [], []

    def unique(self, number):
        return b"id%d" % number

    def blocks(self, number):
        content = self.contents[number]
        return None if content is None else [content]

    def remove(self, number):
        self.removed.append(number)
        return self.contents[number] is not None

    def keep(self, number):
        self.kept.append(number)


def session():
    return Session(FakeMaildrop(b"a: 1\n\none\ntwo\n", None, b".\n"))


def test_everything_a_client_may_ask():
    play(session, """
        S: +OK{}
        C: STAT
        S: +OK 3 18
        C: LIST
        S: +OK{}
        S: 1 14
        S: 2 2
        S: 3 2
        S: .
        C: LIST 3
        S: +OK 3 2
        C: UIDL
        S: +OK{}
        S: 1 id0
        S: 2 id1
        S: 3 id2
        S: .
        C: UIDL 2
        S: +OK 2 id1
        C: TOP 1 1
        S: +OK{}
        S: a: 1
        S:
        S: one
        S:
        S: .
        C: RETR 3
        S: +OK{}
        S: ..
        S:
        S: .
        C: RETR 2
        S: -ERR unable to open that message
        C: LAST
        S: +OK 0
        C: DELE 2
        S: +OK{}
        C: LAST
        S: +OK 2
        C: STAT
        S: +OK 3 16
        C: LIST 2
        S: -ERR already deleted
        C: LIST
        S: +OK{}
        S: 1 14
        S: 3 2
        S: .
        C: RSET
        S: +OK{}
        C: LAST
        S: +OK 0
        C: NOOP
        S: +OK{}
        C: QUIT
        S: +OK{}
    """)


@pytest.mark.parametrize("verb", ["LIST x", "RETR", "DELE", "TOP", "UIDL -1", "RETR x"])
def test_syntax_errors(verb):
    play(session, f"S: +OK{{}}\nC: {verb}\nS: -ERR syntax error")


@pytest.mark.parametrize(("said", "answer"), [
    ("DELE 0", "-ERR messages are counted from 1"), ("RETR 4", "-ERR not that many messages"), ("LIST 99999999999999999999", "-ERR not that many messages"),
    ("XYZZY", "-ERR unimplemented"), ("USER x", "-ERR unimplemented"),
])
def test_refusals(said, answer):
    play(session, f"S: +OK{{}}\nC: {said}\nS: {answer}")


def test_quit_removes_what_was_deleted_and_keeps_the_rest():
    maildrop = FakeMaildrop(b"1", b"2", b"3")
    opened = Session(maildrop)
    assert b"".join(opened.feed(b"DELE 2\r\nQUIT\r\nSTAT\r\n")) == b"+OK \r\n+OK \r\n"
    assert opened.over
    assert (maildrop.removed, maildrop.kept) == ([1], [0, 2])


def test_without_quit_nothing_is_removed():
    maildrop = FakeMaildrop(b"1")
    assert b"".join(Session(maildrop).feed(b"DELE 1\r\nQUI")) == b"+OK \r\n"
    assert (maildrop.removed, maildrop.kept) == ([], [])


def test_what_somebody_else_has_removed_is_told():
    play(lambda: Session(FakeMaildrop(None)), """
        S: +OK{}
        C: DELE 1
        S: +OK{}
        C: QUIT
        S: -ERR unable to unlink all deleted messages
        S: +OK{}
    """)


def test_a_message_is_read_as_it_is_sent():
    asked = []

    class Streaming(FakeMaildrop):
        def blocks(self, number):
            for at in range(1000):
                asked.append(at)
                yield b"x" * 1000

    answers = Session(Streaming(b"x")).feed(b"RETR 1\r\n")
    next(answers), next(answers)
    assert len(asked) <= 2


def test_a_session_ends_with_one_command_too_many(monkeypatch):
    monkeypatch.setattr(module, "COMMANDS", 3)
    one = session()
    assert b"".join(one.feed(b"NOOP\r\n" * 9)).split(b"\r\n") == [b"+OK "] * 3 + [b"-ERR too many commands", b""]
    assert one.over and one.maildrop.kept == []
