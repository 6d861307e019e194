"""Rounds, medians, ratios."""

import pytest

from qmailpy.bench import measure
from qmailpy.bench.measure import FEWEST, MOST, Contender, Failed, Rate, Table


def table(*contenders):
    return Table("local", "disk", "about", "messages/s", list(contenders), more=True)


def test_every_contender_is_measured_once_in_each_round_and_the_first_time_does_not_count():
    order, figures = [], iter(range(100))

    def one(name):
        return Contender(name, lambda: order.append(name) or next(figures))

    measured, told = table(one("a"), one("b")), []
    measure.run(measured, 2, told.append)
    assert order == ["a", "b"] * 3
    assert [one.values for one in measured.contenders] == [[2, 4], [3, 5]]
    assert told[0] == "local, disk: warming up: a" and told[-1] == "local, disk: round 2 of 2: b"


def test_who_fails_is_not_asked_again_and_has_no_row():
    asked = []

    def broken():
        asked.append(1)
        raise Failed("it does not listen")

    measured = table(Contender("works", lambda: 5.0), Contender("broken", broken))
    measure.run(measured, 3, lambda text: None)
    assert len(asked) == 1
    assert [row.name for row in measured.rows()] == ["works"]
    assert list(measured.troubles()) == [("broken", "it does not listen")]


def test_who_fails_in_a_later_round_has_no_row_either():
    figures = iter([1.0, 2.0])

    def tired():
        try:
            return next(figures)
        except StopIteration:
            raise Failed("no more") from None

    measured = table(Contender("tired", tired))
    measure.run(measured, 3, lambda text: None)
    assert list(measured.rows()) == []


def test_ratios_are_of_medians_to_the_first_contender():
    first, second = Contender("a", float), Contender("b", float)
    first.values, second.values = [4.0, 1.0, 2.0], [8.0, 3.0, 5.0]
    assert [(row.name, row.median, row.low, row.high, row.ratio) for row in table(first, second).rows()] == [("a", 2, 1, 4, 1), ("b", 5, 3, 8, 2.5)]


@pytest.mark.parametrize(("seconds_each", "counts"), [(0.1, [FEWEST] * 3), (0.01, [FEWEST, 100, 100]), (0.00001, [FEWEST, MOST, MOST])])
def test_a_rate_is_measured_with_as_much_work_as_takes_a_second(seconds_each, counts):
    asked = []

    def work(count):
        asked.append(count)
        return count * seconds_each

    rate = Rate(work)
    assert [rate() for _ in range(3)] == pytest.approx([1 / seconds_each] * 3)
    assert asked == counts
