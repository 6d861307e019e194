"""Tables for people and for programs."""

import pytest

from qmailpy.bench import table
from qmailpy.bench.measure import Contender, Table


@pytest.fixture
def measured():
    first, second, third = Contender("qmailpy", float), Contender("Postfix", float), Contender("broken", float)
    first.values, second.values, third.trouble = [100.0, 120.0, 140.0], [30.0, 60.0, 61.5], "not installed"
    return Table("local", "disk", "what it is", "messages/s", [first, second, third], more=True)


def test_a_table_has_a_line_for_each_contender(measured):
    assert list(table.lines(measured)) == [
        "local, disk: what it is",
        "            messages/s   lowest to highest    ratio (more is better)",
        "  qmailpy          120   100 to 140           1.00",
        "  Postfix         60.0   30.0 to 61.5         0.50",
        "  broken  not measured: not installed",
        "",
    ]


def test_a_table_has_every_round_for_programs(measured):
    assert table.value(measured) == {
        "figure": "local", "place": "disk", "about": "what it is", "unit": "messages/s", "better": "more",
        "contenders": [{"name": "qmailpy", "values": [100, 120, 140], "median": 120, "ratio": 1},
                       {"name": "Postfix", "values": [30, 60, 61.5], "median": 60, "ratio": 0.5}],
        "not measured": {"broken": "not installed"},
    }


@pytest.mark.parametrize(("value", "text"), [(0.123, "0.12"), (9.87, "9.87"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12346")])
def test_figures_have_three_digits(value, text):
    assert table.digits(value) == text
