"""The tables in manual pages."""

import pytest

from qmailpy.install.pages import BadPage, filled, main
from qmailpy.settings.show import entries, overview

PAGE = '.SH X\n.\\" settings: {}\nold\n.\\" end\n.SH Y\n'


def test_tables_are_put_between_the_markers():
    text = filled(PAGE.format("qmail-inject"))
    assert text == '.SH X\n.\\" settings: qmail-inject\n' + "\n".join(entries("qmail-inject")) + '\n.\\" end\n.SH Y\n'
    assert filled(text) == text
    assert "\n".join(overview()) in filled(PAGE.format("all"))


def test_pages_without_markers_stay():
    assert filled('.SH X\n.\\" end\n') == '.SH X\n.\\" end\n'


@pytest.mark.parametrize("text", [PAGE.format("qmail-nothing"), '.\\" settings: qmail-inject\n', '.\\" settings: all\n.\\" settings: all\n.\\" end\n'])
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
