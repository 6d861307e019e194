"""What setup.cfg lists is what gets fetched."""

import pytest

from qmailpy.install import dependencies


def test_a_home_needs_what_the_design_names():
    names = {row.split(">")[0].split("<")[0] for row in dependencies.wanted("site")}
    assert names == {"dnspython", "pyOpenSSL", "pure-cdb", "click"}


def test_the_tests_need_their_tools():
    names = {row.split(">")[0] for row in dependencies.wanted("tools")}
    assert {"pytest", "mypy", "ruff", "hypothesis"} <= names


def test_lists_are_read_from_the_given_checkout(tmp_path):
    (tmp_path / "setup.cfg").write_text("[options]\ninstall_requires =\n    one>=1\n    two\n")
    assert dependencies.wanted("site", str(tmp_path)) == ["one>=1", "two"]
    with pytest.raises(KeyError):
        dependencies.wanted("tools", str(tmp_path))
