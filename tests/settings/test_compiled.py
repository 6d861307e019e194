"""Lists into tables."""

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.settings.compiled import compile_list
from qmailpy.unix.cdb import lookup


def test_lines_become_keys(tmp_path):
    (tmp_path / "users").mkdir()
    (tmp_path / "users/list").write_text("A@B \n# no\n\nc")
    compile_list(Home(str(tmp_path)), "users", "list", b":")
    assert [lookup(str(tmp_path / "users/list.cdb"), key) for key in (b":a@b", b":c", b":# no", b"c")] == [b"", b"", None, None]
    compile_list(Home(str(tmp_path)), "users", "list")
    assert [lookup(str(tmp_path / "users/list.cdb"), key) for key in (b":a@b", b"c")] == [None, b""]


def test_no_list_is_trouble(tmp_path):
    with pytest.raises(Temporary, match="unable to read users/list: file does not exist"):
        compile_list(Home(str(tmp_path)), "users", "list")
