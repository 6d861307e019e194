"""The control files that a host begins with."""

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.settings.initial import Control, checked, default_domain, plus_domain


@pytest.mark.parametrize(("name", "default", "plus"), [
    ("mail.example.org", "example.org", "example.org"), ("a.b.example.org", "b.example.org", "example.org"), ("example.org", "example.org", "example.org"),
    ("localhost", "localhost", "localhost"),
])
def test_domains(name, default, plus):
    assert (default_domain(name), plus_domain(name)) == (default, plus)


def test_lines_are_added_once(tmp_path, capsys):
    (tmp_path / "control").mkdir()
    (tmp_path / "control/locals").write_text("old.example\n")
    for _ in range(2):
        Control(Home(str(tmp_path))).begin("mail.example.org", ["mail.example.org"])
    assert (tmp_path / "control/locals").read_text() == "old.example\nmail.example.org\n"
    assert (tmp_path / "control/me").read_text() == "mail.example.org\n"
    assert "Putting mail.example.org into control/me..." in capsys.readouterr().out


def test_names():
    assert checked(" Mail.Example.ORG.\n") == "mail.example.org"
    for bad in ("", "a b", "a@b", "a/b"):
        with pytest.raises(Temporary, match="not the name of a host"):
            checked(bad)


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(Temporary, match="unable to write control/me"):
        Control(Home(str(tmp_path))).put("me", "x")
