"""Dates against a calendar that counts days one by one."""

from qmailpy.text.date import asctime, civil, rfc822, stamp

LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
WEEK = (b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed")


def leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days(first_year, last_year):
    """(year, month, day) of each day."""
    for year in range(first_year, last_year + 1):
        for month, length in enumerate(LENGTHS, 1):
            for day in range(1, length + 1 + (month == 2 and leap(year))):
                yield year, month, day


def test_every_day_of_five_centuries():
    for number, date in enumerate(days(1970, 2470)):
        assert civil(number * 86400)[:3] == date
        assert asctime(number * 86400)[:3] == WEEK[number % 7]


def test_days_before_1970():
    back = list(days(1580, 1969))
    for number, date in enumerate(reversed(back), 1):
        assert civil(-number * 86400)[:3] == date


def test_every_second_of_a_day_has_its_time():
    day = 20780 * 86400
    for second in range(0, 86400, 7):
        assert civil(day + second)[3:] == (second // 3600, second // 60 % 60, second % 60)
    assert civil(day + 86399)[3:] == (23, 59, 59)


def test_forms():
    assert rfc822(1795467600) == b"23 Nov 2026 21:00:00 -0000"
    assert asctime(1795467600) == b"Mon Nov 23 21:00:00 2026"
    assert stamp(1795467600) == b"20261123210000"


def test_small_days_and_months():
    assert rfc822(0) == b"1 Jan 1970 00:00:00 -0000"
    assert asctime(0) == b"Thu Jan 01 00:00:00 1970"
    assert stamp(951782399) == b"20000228235959"
    assert rfc822(951782400) == b"29 Feb 2000 00:00:00 -0000"


def test_the_year_2038_is_no_end():
    assert rfc822(2**31) == b"19 Jan 2038 03:14:08 -0000"
    assert rfc822(2**32) == b"7 Feb 2106 06:28:16 -0000"
