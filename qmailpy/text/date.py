"""Dates of mail, from seconds since 1970, UTC unless an offset is given: RFC 5322 section 3.3, and the asctime form of mbox From_ lines."""

from __future__ import annotations

DAYS = (b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed")  # day 0 was a Thursday
MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def civil(seconds: int) -> tuple[int, int, int, int, int, int]:
    """(year, month from 1, day from 1, hour, minute, second)."""
    days, left = divmod(seconds, 86400)
    # The calendar repeats every 400 years; years are counted from March, so that the leap day is a year's last.
    era, day = divmod(days + 719468, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month = month + 3 if month < 10 else month - 9
    return year + 400 * era + (month <= 2), month, day, left // 3600, left // 60 % 60, left % 60


def rfc822(seconds: int, offset: int | None = None) -> bytes:
    """As in header fields: b"23 Nov 2026 21:00:00 -0000", without a newline; `offset`: local time's, in seconds east of UTC."""
    year, month, day, hour, minute, second = civil(seconds + (offset or 0))
    zone = b"-0000"
    if offset is not None:
        minutes = (abs(offset) + 30) // 60
        zone = b"%s%02d%02d" % (b"-" if offset < 0 else b"+", minutes // 60, minutes % 60)
    return b"%d %s %d %02d:%02d:%02d %s" % (day, MONTHS[month - 1], year, hour, minute, second, zone)


def asctime(seconds: int) -> bytes:
    """As in mbox From_ lines: b"Mon Nov 23 21:00:00 2026", without a newline."""
    year, month, day, hour, minute, second = civil(seconds)
    return b"%s %s %02d %02d:%02d:%02d %d" % (DAYS[seconds // 86400 % 7], MONTHS[month - 1], day, hour, minute, second, year)


def stamp(seconds: int) -> bytes:
    """As in Message-ID fields: b"20261123210000"."""
    return b"%d%02d%02d%02d%02d%02d" % civil(seconds)
