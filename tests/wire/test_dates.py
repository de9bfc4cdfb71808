"""Dates: exact when written, liberal when read, English everywhere."""

from __future__ import annotations

import locale
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.wire.dates import format_internaldate, format_search_date, parse_internaldate

zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=zones
).map(lambda moment: moment.replace(microsecond=0))


@given(moments)
def test_a_moment_survives_with_its_offset(moment: datetime) -> None:
    raw = format_internaldate(moment)
    parsed = parse_internaldate(raw)
    assert parsed == moment
    assert parsed is not None
    assert parsed.utcoffset() == moment.utcoffset()
    assert len(raw) == len(b" 1-Feb-1994 21:52:25 -0800")


@given(st.binary(max_size=60) | st.from_regex(rb"[ 0-9A-Za-z:.+-]{20,30}", fullmatch=True))
def test_anything_can_be_read(raw: bytes) -> None:
    moment = parse_internaldate(raw)
    assert moment is None or moment.utcoffset() is not None


usual = st.from_regex(
    rb"([0-3][0-9]| [0-9])-(Jan|Feb|Dec|dec)-(19|20|00|99)(99|[0-9]{2})"
    rb" [0-2][0-9]:[0-6][0-9]:[0-6][0-9] [+-][0-2][0-9][0-6][0-9]",
    fullmatch=True,
)


@given(usual, st.integers(0, 25), st.none() | st.sampled_from(b" :.,+-TZ0129_W\xb2"))
def test_a_date_in_the_usual_form_is_what_any_form_of_it_is(
    raw: bytes, at: int, octet: int | None
) -> None:
    if octet is not None:
        raw = raw[:at] + bytes([octet]) + raw[at + 1 :]
    expected = parse_internaldate(b" " + raw)  # which is not the usual form
    found = parse_internaldate(raw)
    assert found == expected
    if found is not None and expected is not None:
        assert repr(found) == repr(expected)


WEST = timezone(-timedelta(hours=4, minutes=30))


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 9-Feb-2007 17:08:08 -0430", datetime(2007, 2, 9, 17, 8, 8, tzinfo=WEST)),
        (b"9-Feb-2007 17.08.08 -0430", datetime(2007, 2, 9, 17, 8, 8, tzinfo=WEST)),
        (b"09-fEB-2007  7:08:08 -0430", datetime(2007, 2, 9, 7, 8, 8, tzinfo=WEST)),
        (b"01-Jan-2000 00:00:00 +0000 ", datetime(2000, 1, 1, tzinfo=UTC)),
        (b"00-Jan-0000 00:00:00 +0000", None),  # quirk 41
        (b"01-Jan-0000 00:00:00 +0000", None),
        (b"30-Feb-2000 00:00:00 +0000", None),
        (b"01-Foo-2000 00:00:00 +0000", None),
        (b"01-Jan-2000 24:00:00 +0000", None),
        (b"01-Jan-2000 00:00:00 +2400", None),
        (b"01-Jan-2000 00:00:00 +9959", None),
        (b"01-Jan-2000 00:00:00 +0060", None),
        (b"01-Jan-2000 00:00:00", None),
        (b"01-Jan-0001 00:00:00 +0100", None),  # the year 0 in UTC
        (b"31-Dec-9999 23:59:59 -0100", None),
        (b"Thu, 1 Jan 2000 00:00:00 +0000", None),
        (b"\xd9\xa1-Jan-2000 00:00:00 +0000", None),
        (b"", None),
    ],
)
def test_what_servers_send(raw: bytes, moment: datetime | None) -> None:
    assert parse_internaldate(raw) == moment


def test_offsets_are_rounded_to_minutes_and_fractions_dropped() -> None:
    amsterdam = timezone(timedelta(minutes=19, seconds=32))
    moment = datetime(1900, 1, 1, 12, 0, 0, 999999, tzinfo=amsterdam)
    raw = format_internaldate(moment)
    assert raw == b" 1-Jan-1900 12:00:28 +0020"
    assert parse_internaldate(raw) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2000, 1, 1, tzinfo=timezone(timedelta(hours=23, minutes=59, seconds=59))),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(seconds=31))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(seconds=29))),
    ],
)
def test_moments_without_a_form_are_refused(moment: datetime) -> None:
    with pytest.raises(InvalidArgument):
        format_internaldate(moment)


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "XYZ-9:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_naive_moments_are_local_time() -> None:
    assert format_internaldate(datetime(2024, 2, 29, 1, 2, 3)) == b"29-Feb-2024 01:02:03 +0930"


def test_search_dates() -> None:
    assert format_search_date(date(1994, 2, 1)) == b"1-Feb-1994"
    assert format_search_date(date(33, 12, 25)) == b"25-Dec-0033"
    late = datetime(1994, 2, 1, 23, tzinfo=WEST)
    assert format_search_date(late) == b"1-Feb-1994"


def test_months_are_english_whatever_the_locale() -> None:
    before = locale.setlocale(locale.LC_TIME)
    foreign = next((name for name in ("de_DE.UTF-8", "fr_FR.UTF-8") if _set_locale(name)), None)
    try:
        written = [format_search_date(date(2000, month, 1)) for month in (3, 5, 10, 12)]
        assert written == [b"1-Mar-2000", b"1-May-2000", b"1-Oct-2000", b"1-Dec-2000"], foreign
    finally:
        locale.setlocale(locale.LC_TIME, before)


def _set_locale(name: str) -> bool:
    try:
        return bool(locale.setlocale(locale.LC_TIME, name))
    except locale.Error:
        return False
