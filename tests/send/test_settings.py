"""qmail-send's control files."""

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.send.settings import Settings


@pytest.fixture
def control(tmp_path):
    (tmp_path / "control").mkdir()

    def write(**files):
        for name, text in files.items():
            (tmp_path / "control" / name).write_text(text)
        return Home(str(tmp_path))

    return write


def test_defaults_come_from_me(control):
    found = Settings(control(me="Me.example\n"))
    assert found.routes.locals == {b"me.example"}
    assert (found.postmark.user, found.postmark.host, found.postmark.double_to) == (b"MAILER-DAEMON", b"Me.example", b"postmaster@Me.example")
    assert (found.lifetime, found.concurrency) == (604800, (10, 20))


def test_what_is_read_again(control):
    home = control(me="me\n", locals="a.example\n", virtualdomains="B.example:joe\n", percenthack="p\n")
    found = Settings(home)
    control(locals="c.example\n", percenthack="q\n", virtualdomains="")
    found.reread("locals")
    found.reread("virtualdomains")
    assert found.routes.locals == {b"c.example"}
    assert found.routes.virtual_domains == {}
    assert found.routes.percent_hack == {b"p"}


@pytest.mark.parametrize(("text", "limit"), [(None, 50000), ("abc\n", 50000), ("", 50000), ("100\n", 100), ("0\n", 0), ("60000x\n", 60000)])
def test_the_limit_of_bounces(control, text, limit):
    home = control(me="me\n", **({} if text is None else {"bouncemaxbytes": text}))
    found = Settings(home)
    assert found.bounce_limit == limit
    control(bouncemaxbytes="7\n")
    found.reread("bouncemaxbytes")
    assert found.bounce_limit == 7


def test_neither_locals_nor_me(control):
    with pytest.raises(Temporary):
        Settings(control(bouncefrom="x\n"))


def test_an_unreadable_file_leaves_the_old_rules(control, tmp_path):
    found = Settings(control(me="me\n"))
    (tmp_path / "control/locals").mkdir()
    with pytest.raises(Temporary, match="control/locals"):
        found.reread("locals")
    assert found.routes.locals == {b"me"}
