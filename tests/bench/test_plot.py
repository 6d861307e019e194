"""The picture."""

from xml.etree import ElementTree

from qmailpy.bench import plot
from qmailpy.bench.measure import Contender, Table

SVG = "{http://www.w3.org/2000/svg}"


def table(unit, **figures):
    contenders = []
    for name, value in figures.items():
        contenders.append(Contender(name, float))
        contenders[-1].values = [value]
    return Table("local", "disk", "about", unit, contenders, more=True)


def bars(picture):
    """(width, colour) of all bars; the first rectangle is the paper."""
    return [(float(one.get("width")), one.get("fill")) for one in ElementTree.fromstring(picture).iter(SVG + "rect")][1:]


def test_bars_are_as_long_as_figures_and_each_table_has_its_own_scale():
    picture = plot.picture([table("a", one=10, two=5), table("b", one=1)])
    assert [width for width, _ in bars(picture)] == [plot.BARS, plot.BARS / 2, plot.BARS]


def test_a_server_has_one_colour_under_all_its_names():
    colours = [colour for _, colour in bars(plot.picture([table("a", **{"ours, tcpserver": 1, "theirs": 1, "ours: qmail-smtpd": 1})]))]
    assert colours[0] == colours[2] != colours[1]


def test_names_are_written_as_text_whatever_is_in_them():
    picture = ElementTree.fromstring(plot.picture([table("a", **{"qmail in /<&>": 3})]))
    assert [one.text for one in picture.iter(SVG + "text")] == ["local, disk (a; more is better)", "qmail in /<&>", "3.00"]


def test_a_table_without_rows_and_without_length():
    assert bars(plot.picture([table("a"), table("b", nothing=0)])) == [(0, plot.COLOURS[0])]
