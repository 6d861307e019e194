"""What an installed home knows of itself."""

import os

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home, first_line, of_checkout, parse

TEXT = """home /var/qmail
kind multi
split 31
spawn 200
break +
forbidden 022
todo hashed
user qmailq qmailq 4711
group qmail mail 4712
"""


def test_a_home_is_read():
    home = parse(TEXT)
    assert (home.path, home.split, home.spawn, home.breaks, home.forbidden) == ("/var/qmail", 31, 200, "+", 0o022)
    assert home.big_todo and not home.single
    assert home.users == {"qmailq": ("qmailq", 4711)} and home.groups == {"qmail": ("mail", 4712)}


def test_a_home_is_written_as_it_is_read():
    assert "".join(line + "\n" for line in parse(TEXT).lines()) == TEXT


def test_defaults():
    home = parse("home /x\n")
    assert (home.split, home.spawn, home.breaks, home.forbidden, home.big_todo, home.single) == (23, 120, "-", 0o002, False, False)


def test_paths():
    assert parse("home /x/\n").at("control", "me") == "/x/control/me"
    assert parse("home /a b\n").path == "/a b"


def test_ids():
    home = parse(TEXT)
    assert home.uid("qmailq") == 4711 and home.gid("qmail") == 4712
    assert home.uid("alias") == os.geteuid() and home.gid("nofiles") == os.getegid()
    home.single = True
    assert home.uid("qmailq") == os.geteuid() and home.gid("qmail") == os.getegid()


def test_words_of_a_newer_version_are_passed_over():
    assert parse("home /x\nweather fine\n").path == "/x"


@pytest.mark.parametrize(("text", "place"), [("", ":1:"), ("split 3\n", ":1:"), ("home relative\n", ":1:"), ("home /x\nsplit many\n", ":2:"),
                                              ("home /x\nkind single\nuser q\n", ":3:"), ("home /x\nforbidden 9\n", ":2:"), ("home /x\nspawn\n", ":2:")])
def test_a_damaged_file_is_temporary_and_named(text, place):
    with pytest.raises(Temporary, match=r"^home\.conf" + place):
        parse(text)


def test_a_checkout(tmp_path):
    for name, text in {"home": "/q\nmore\n", "split": "7\n", "spawn": "9\n", "break": "=\n", "patrn": "027\n", "bigtodo": "hashed\n"}.items():
        (tmp_path / f"conf-{name}").write_text(text)
    home = of_checkout(str(tmp_path))
    assert (home.path, home.split, home.spawn, home.breaks, home.forbidden, home.big_todo) == ("/q", 7, 9, "=", 0o027, True)


def test_an_empty_checkout(tmp_path):
    home = of_checkout(str(tmp_path))
    assert (home.path, home.split, home.big_todo) == ("/var/qmail", 23, False)


def test_first_line(tmp_path):
    (tmp_path / "x").write_text(" a \nb\n")
    assert first_line(str(tmp_path / "x")) == "a"
    assert first_line(str(tmp_path / "y")) == ""


def test_a_new_home_has_no_users():
    assert Home("/x").users == {} and Home("/x").groups == {}
