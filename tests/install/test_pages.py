"""The manual pages: the tables in them, which there are, and where they point."""

import pathlib
import re

import pytest

from qmailpy.install.pages import BadPage, filled, main
from qmailpy.settings.show import all_variables, entries, overview, variables

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((TOP / "man").iterdir())
PROGRAMS = {path.name for path in (TOP / "bin").iterdir()}
REFERENCE = re.compile(r"(?:\\fB|^\.BR )((?:\w|\\-)+)(?:\\fR)? ?\((\d)\)", re.MULTILINE)
PAGE = '.SH X\n.\\" settings: {}\nold\n.\\" end\n.SH Y\n'
VARIABLES = PAGE.replace("settings", "variables")


def test_tables_are_put_between_the_markers():
    text = filled(PAGE.format("qmail-inject"))
    assert text == '.SH X\n.\\" settings: qmail-inject\n' + "\n".join(entries("qmail-inject")) + '\n.\\" end\n.SH Y\n'
    assert filled(text) == text
    assert "\n".join(overview()) in filled(PAGE.format("all"))
    assert filled(VARIABLES.format("qmail-rspawn")) == '.SH X\n.\\" variables: qmail-rspawn\n' + "\n".join(variables("qmail-rspawn")) + '\n.\\" end\n.SH Y\n'
    assert "\n".join(all_variables()) in filled(VARIABLES.format("all"))


def test_pages_without_markers_stay():
    assert filled('.SH X\n.\\" end\n') == '.SH X\n.\\" end\n'


@pytest.mark.parametrize("text", [PAGE.format("qmail-nothing"), VARIABLES.format("qmail-clean"), PAGE.format("two words"), PAGE.format(""), '.\\" settings: qmail-inject\n', '.\\" settings: all\n.\\" settings: all\n.\\" end\n'])
def test_markers_that_make_no_sense(text):
    with pytest.raises(BadPage):
        filled(text)


def test_checking_and_writing(tmp_path, capsys):
    page = tmp_path / "x.8"
    page.write_text(PAGE.format("qmail-inject"))
    assert main(["--check"], str(tmp_path)) == 1
    assert "x.8" in capsys.readouterr().err
    assert "old" in page.read_text()
    assert main([], str(tmp_path)) == 0
    assert "old" not in page.read_text()
    assert main(["--check"], str(tmp_path)) == 0


def test_wrong_words(tmp_path):
    assert main(["--nonsense"], str(tmp_path)) == 100
    (tmp_path / "x.8").write_text(PAGE.format("qmail-nothing"))
    assert main([], str(tmp_path)) == 1


def test_our_own_pages_are_up_to_date():
    assert main(["--check"]) == 0


def test_pages_of_formats_and_overviews_as_c_has_them():
    names = {path.name for path in PAGES}
    assert {name for name in names if name[-1] in "57"} == {
        "addresses.5", "dot-qmail.5", "envelopes.5", "maildir.5", "mbox.5", "qmail-control.5", "qmail-header.5", "qmail-log.5", "qmail-users.5",
        "tcp-environ.5", "forgeries.7", "qmail-limits.7", "qmail.7"}
    assert all(name[-2:] in (".1", ".5", ".7", ".8") for name in names)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_points_to_pages_that_are_there(path):
    found = [(name.replace("\\", ""), section) for name, section in REFERENCE.findall(path.read_text())]
    assert found
    for name, section in found:
        if pages := {page.name for page in PAGES if page.stem == name}:
            assert f"{name}.{section}" in pages
        else:
            assert not name.startswith("qmail") or name in PROGRAMS, name  # another test wants a page of every program


def test_the_first_page_names_all_others():
    text = (TOP / "man/qmail.7").read_text().replace("\\", "")
    assert [path.name for path in PAGES if f"{path.stem} (" not in text and path.stem not in ("qmail", "addresses")] == []
