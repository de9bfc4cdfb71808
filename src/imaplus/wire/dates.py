"""Dates as IMAP writes them: INTERNALDATE and SEARCH (date-time and date, RFC 9051, 9).

Months are English whatever the locale. A date of a server is read if it can be understood at all,
and is None if not; a date of a caller is written exactly or refused. Of header dates (RFC 5322) no
more than the usual form is known here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from imaplus.errors import InvalidArgument
from imaplus.wire.patterns import lazy_pattern

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS: Final = {name.lower().encode(): n for n, name in enumerate(MONTHS, 1)}

# For what is written as it should be, ISO 8601 (RFC 3339) for the same:
_MONTH_TEXTS: Final = {f"-{name}-": f"-{n:02}-" for n, name in enumerate(MONTHS, 1)}
# What ISO 8601 allows goes the long way: UTC beyond the calendar, the hour 24, 60 minutes and more.
_ODD_YEARS: Final = frozenset({"0001", "9999"})
_TENS_OF_MINUTES: Final = frozenset("012345")

# date-time without its quotes. Quirk 79: one digit or a space for the day, dots in the time.
_DATE_TIME: Final = lazy_pattern(
    rb"\s*([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\s+"
    rb"([0-9]{1,2})[:.]([0-9]{2})[:.]([0-9]{2})\s+([+-])([0-9]{2})([0-5][0-9])\s*"
)


def parse_internaldate(raw: bytes) -> datetime | None:
    """The moment an INTERNALDATE (without its quotes) tells, in the offset it is told in.

    None where it tells none: `00-Jan-0000 00:00:00 +0000` (Domino), an offset of a day or more, a
    moment that UTC would put before the year 1 or after 9999, or something else altogether.
    """
    if (moment := _usual(raw)) is not None:
        return moment
    found = _DATE_TIME.fullmatch(raw)
    if not found:
        return None
    day, month, year, hour, minute, second, *offset = found.groups()
    number = _MONTH_NUMBERS.get(month.lower(), 0)  # quirk 79: in any case
    clock = int(hour), int(minute), int(second)
    return _moment(int(year), number, int(day), clock, b"".join(offset))


def _usual(raw: bytes) -> datetime | None:
    """The same of `17-Jul-1996 02:44:25 -0700`, in a third of the time; None of all that is odd."""
    text = raw.decode("latin-1")
    month = _MONTH_TEXTS.get(text[2:7])
    if month is None or len(text) != 26 or text[11] + text[14] + text[17] + text[20] != " :: ":
        return None
    year = text[7:11]
    if year in _ODD_YEARS or text[12:14] == "24" or text[24] not in _TENS_OF_MINUTES:
        return None
    try:
        return datetime.fromisoformat(
            f"{year}{month}{text[:2]}T{text[12:20]}{text[21:24]}:{text[24:]}"
        )
    except ValueError:
        return None


def _moment(
    year: int, month: int, day: int, clock: tuple[int, int, int], offset: bytes
) -> datetime | None:
    try:
        moment = datetime(year, month, day, *clock, tzinfo=_zone(offset))
        if not 1 < year < 9999:
            moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


@lru_cache(maxsize=256)
def _zone(offset: bytes) -> timezone:
    """`+0530`. Raises: ValueError if it is a day or more."""
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))
    return timezone(-ahead if offset[:1] == b"-" else ahead)


# date-time (RFC 5322, 3.3) without folding or comments, as nearly all programs write it.
_HEADER_DATE: Final = lazy_pattern(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([12][0-9]{3}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{2}[0-5][0-9])"
)


def parse_header_date(text: str) -> datetime | None:
    """The moment a Date field tells, if it does so in the usual form; `-0000` counts as UTC."""
    found = _HEADER_DATE.fullmatch(text)
    if not found or found[2] not in MONTHS:
        return None
    day, month, year, hour, minute, second, offset = found.groups()
    clock = int(hour), int(minute), int(second)
    return _moment(int(year), MONTHS.index(month) + 1, int(day), clock, offset.encode())


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
