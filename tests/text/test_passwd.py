"""Lines of passwd to lines of users/assign."""

import pytest

from qmailpy.text.passwd import Writer, account

JOE = account(b"joe:x:507:100:Joe,,,:/home/joe:/bin/sh")


def test_the_fields_of_an_account():
    assert (JOE.user, JOE.uid, JOE.gid, JOE.home, JOE.number) == (b"joe", b"507", b"100", b"/home/joe", 507)


@pytest.mark.parametrize(("line", "user"), [
    (b"joe:*:1:2::/h:", b"joe"), (b"joe:*:1:2::/h:sh:more:of:it", b"joe"), (b"joe:*:1:2::/h", None), (b"joe:*:1:2:/h:\0sh:", None), (b"", None), (b":x:1:2::/h:", b""),
])
def test_what_is_an_account(line, user):
    found = account(line)
    assert (found and found.user) == user


@pytest.mark.parametrize(("uid", "number"), [(b"507", 507), (b"00", 0), (b"", 0), (b"-2", 0), (b"12x", 12), (b"x12", 0)])
def test_a_uid_is_its_leading_digits(uid, number):
    assert account(b"joe:x:" + uid + b":1::/h:").number == number


@pytest.mark.parametrize(("user", "capitals"), [(b"joe", False), (b"Joe", True), (b"joE", True), (b"jo\xc3\x89", False), (b"j_0@[", False)])
def test_capitals(user, capitals):
    assert account(user + b":x:1:1::/h:").has_capitals == capitals


@pytest.mark.parametrize(("writer", "names", "lines"), [
    (Writer(b"-"), b"joe", [b"=joe:joe:507:100:/home/joe:::\n", b"+joe-:joe:507:100:/home/joe:-::\n"]),
    (Writer(b"+", slash=True), b"joe", [b"=joe:joe:507:100:/home/joe:::\n", b"+joe+:joe:507:100:/home/joe:-/::\n"]),
    (Writer(b""), b"a::b:", [b"=a:joe:507:100:/home/joe:::\n", b"=b:joe:507:100:/home/joe:::\n"]),
    (Writer(b"-"), b":", []),
])
def test_a_user_under_his_names(writer, names, lines):
    assert list(writer.user(JOE, names)) == lines


@pytest.mark.parametrize(("writer", "line", "lines"), [
    (Writer(b"-"), b"team:JOE:tm:about", [b"=team:joe:507:100:/home/joe:-:tm:\n", b"+team-:joe:507:100:/home/joe:-:tm-:\n"]),
    (Writer(b"", slash=True), b"team:joe:tm:", [b"=team:joe:507:100:/home/joe:-/:tm:\n"]),
    (Writer(b"-"), b"team:joe:tm", []), (Writer(b"-"), b"team:nobody", []), (Writer(b"-"), b"# nobody", []), (Writer(b"-"), b"", []),
])
def test_a_subuser(writer, line, lines):
    assert list(writer.subuser(line, {b"joe": JOE})) == lines


@pytest.mark.parametrize("line", [b"team:ann:tm:", b"team:ann:tm", b"team::tm:"])
def test_a_subuser_of_nobody(line):
    with pytest.raises(KeyError):
        list(Writer(b"-").subuser(line, {b"joe": JOE}))


def test_the_catch_all():
    assert Writer(b"-").catch_all(JOE) == b"+:joe:507:100:/home/joe:-::\n"
    assert Writer(b"+", slash=True).catch_all(JOE) == b"+:joe:507:100:/home/joe:-/::\n"
