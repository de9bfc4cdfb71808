"""Dates as IMAP writes them: INTERNALDATE and SEARCH (date-time and date, RFC 9051, 9).

Months are English whatever the locale. A date of a server is read if it can be understood at all,
and is None if not; a date of a caller is written exactly or refused. Header dates (RFC 5322) are
not known here.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from imaplus.errors import InvalidArgument

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS: Final = {name.lower().encode(): n for n, name in enumerate(MONTHS, 1)}

# date-time without its quotes. Quirk 79: one digit or a space for the day, dots in the time.
_DATE_TIME: Final = re.compile(
    rb"\s*([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\s+"
    rb"([0-9]{1,2})[:.]([0-9]{2})[:.]([0-9]{2})\s+([+-])([0-9]{2})([0-5][0-9])\s*"
)


def parse_internaldate(raw: bytes) -> datetime | None:
    """The moment an INTERNALDATE (without its quotes) tells, in the offset it is told in.

    None where it tells none: `00-Jan-0000 00:00:00 +0000` (Domino), an offset of a day or more, a
    moment that UTC would put before the year 1 or after 9999, or something else altogether.
    """
    found = _DATE_TIME.fullmatch(raw)
    if not found:
        return None
    day, month_name, year, hour, minute, second, sign, hours, minutes = found.groups()
    month = _MONTH_NUMBERS.get(month_name.lower(), 0)  # quirk 79: in any case
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        zone = timezone(-offset if sign == b"-" else offset)
        moment = datetime(
            int(year), month, int(day), int(hour), int(minute), int(second), tzinfo=zone
        )
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def format_internaldate(moment: datetime) -> bytes:
    """` 1-Feb-1994 21:52:25 -0800`, to be quoted: for APPEND and for an INTERNALDATE of our own.

    A naive moment is local time, as everywhere in Python. Fractions of a second are dropped. An
    offset that is not whole minutes is rounded, the moment stays the same.

    Raises: InvalidArgument for a moment that has no such form, at the very ends of the calendar.
    """
    try:
        offset = moment.utcoffset()
        if offset is None:
            moment = moment.astimezone()
            offset = moment.utcoffset() or timedelta()
        minutes = round(offset / timedelta(minutes=1))
        if offset % timedelta(minutes=1):
            moment = moment.astimezone(timezone(timedelta(minutes=minutes)))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidArgument(f"{moment!r} cannot be given as an INTERNALDATE") from error
    sign = "-" if minutes < 0 else "+"
    hours, minutes = divmod(abs(minutes), 60)
    return (
        f"{moment.day:2}-{MONTHS[moment.month - 1]}-{moment.year:04} "
        f"{moment:%H:%M:%S} {sign}{hours:02}{minutes:02}"
    ).encode("ascii")


def format_search_date(day: date) -> bytes:
    """`1-Feb-1994`, for SEARCH, which knows no time of day and no time zone (RFC 9051, 6.4.4).

    Of a datetime it is the date that it shows, not the one that it is in another time zone.
    """
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year:04}".encode("ascii")
