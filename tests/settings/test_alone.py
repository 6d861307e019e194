"""One number of a control file, read without the table of settings."""

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.settings.alone import DEFAULTS, number
from qmailpy.settings.kinds import Number
from qmailpy.settings.load import load
from qmailpy.settings.table import SETTINGS


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("text", [None, "", "\n", "x\n", "7", "7 days\n", "0\n", " 7\n", "99999999999999999999999\n"])
def test_it_is_read_as_with_the_table(tmp_path, name, text):
    (tmp_path / "control").mkdir()
    if text is not None:
        (tmp_path / "control" / name).write_text(text)
    home = Home(str(tmp_path))
    assert number(home, name) == load(home, (name,)).number(name)


def test_the_defaults_are_those_of_the_table():
    assert {name: SETTINGS[name].default for name in DEFAULTS} == DEFAULTS
    assert all(SETTINGS[name].kind is Number and not SETTINGS[name].env for name in DEFAULTS)


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "control/timeoutdelivery").mkdir(parents=True)
    with pytest.raises(Temporary, match="unable to read control/timeoutdelivery: "):
        number(Home(str(tmp_path)), "timeoutdelivery")
