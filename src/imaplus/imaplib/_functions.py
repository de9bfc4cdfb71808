"""The functions of the module: dates, flags, tags, and base64 for SASL."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import a2b_base64
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, SupportsAbs, SupportsInt, TypeAlias

from imaplus.imaplib._public import public
from imaplus.wire.dates import MONTHS
from imaplus.wire.patterns import lazy_pattern

if TYPE_CHECKING:
    import time

    from typing_extensions import Buffer

    _TimeTuple: TypeAlias = tuple[int, int, int, int, int, int, int, int, int]
    TimeLike: TypeAlias = float | time.struct_time | _TimeTuple | datetime | str

SaslData: TypeAlias = bytes | bytearray | memoryview | str
Mon2num: Final = {month.encode(): number for number, month in enumerate(MONTHS, 1)}
_NIBBLES: Final = b"ABCDEFGHIJKLMNOP"
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.S)


def balance(text: bytes) -> int:
    """Count opening minus closing parentheses outside quotes, in linear time."""
    text = _QUOTED.sub(b"", text)
    return text.count(b"(") - text.count(b")")


def Internaldate2tuple(resp: Buffer) -> time.struct_time | None:  # noqa: N802
    """Return the local time of the INTERNALDATE in a FETCH response; None if it has none."""
    found = public.InternalDate.match(resp)
    if found is None or found["mon"] not in Mon2num:
        return None
    day, year, hour, minute, second, zone_hours, zone_minutes = (
        int(found[name]) for name in ("day", "year", "hour", "min", "sec", "zoneh", "zonem")
    )
    seconds = timegm((year, Mon2num[found["mon"]], day, hour, minute, second))
    offset = (zone_hours * 60 + zone_minutes) * 60
    return public.time.localtime(seconds + (offset if found["zonen"] == b"-" else -offset))


def Int2AP(num: SupportsAbs[SupportsInt]) -> bytes:  # noqa: N802
    """Format a number in base 16 with the digits A to P; b"" for 0."""
    rest = int(abs(num))
    digits = bytearray()
    while rest:
        rest, digit = divmod(rest, 16)
        digits.append(_NIBBLES[digit])
    digits.reverse()
    return bytes(digits)


def ParseFlags(resp: Buffer) -> tuple[bytes, ...]:  # noqa: N802
    """Return the flags in a FETCH response; () if it has none."""
    found = public.Flags.match(resp)
    return tuple(found["flags"].split()) if found else ()


def Time2Internaldate(date_time: TimeLike) -> str:  # noqa: N802
    """Format a time for APPEND: `"DD-Mmm-YYYY HH:MM:SS +HHMM"`, including the quotes.

    Args:
        date_time: seconds since the epoch, a local `struct_time` or 9-tuple, an aware `datetime`,
            or a str in double quotes, which is returned unchanged.

    Raises:
        ValueError: `date_time` is none of these, or is a naive datetime.
    """
    if isinstance(date_time, str):
        if date_time[:1] != '"' or date_time[-1:] != '"':
            raise ValueError("a date given as str must be in double quotes")
        return date_time
    moment = _moment(date_time)
    month = MONTHS[moment.month - 1]  # strftime("%b") depends on the locale
    return f'"{moment:%d}-{month}-{moment:%Y %H:%M:%S %z}"'


def _moment(date_time: object) -> datetime:
    if isinstance(date_time, int | float):
        return datetime.fromtimestamp(date_time, UTC).astimezone()
    if isinstance(date_time, tuple):
        offset = getattr(date_time, "tm_gmtoff", None)
        if offset is None:
            offset = _local_offset(date_time)
        year, month, day, hour, minute, second = date_time[:6]
        zone = timezone(timedelta(seconds=offset))
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    if isinstance(date_time, datetime):
        if date_time.tzinfo is None:
            raise ValueError("date_time must be an aware datetime: it has no time zone")
        return date_time
    raise ValueError(f"date_time has an unsupported type: {type(date_time).__name__}")


def _local_offset(fields: tuple[int, ...]) -> int:
    """Return the seconds east of UTC of a local time; its tm_isdst may be -1 (unknown)."""
    time = public.time
    if not time.daylight:
        return -time.timezone
    summer = fields[8]
    if summer == -1:
        summer = time.localtime(time.mktime(fields)).tm_isdst  # type: ignore[arg-type]
    return -time.altzone if summer else -time.timezone


def _paren_depth(data: bytes, depth: int = 0) -> int:
    """Return the depth of parentheses after `data`, given the depth before it."""
    return depth + balance(data)


class _Authenticator:
    """Decode challenges and encode responses of a SASL exchange in base64.

    `mech` is called with each decoded challenge and returns the response, or None to cancel.
    """

    def __init__(self, mechinst: Callable[[bytes], SaslData | None]) -> None:
        self.mech = mechinst

    def process(self, data: Buffer | str | None) -> bytes:
        """Return the line that answers a challenge: base64, or b"*" to cancel."""
        answer = self.mech(self.decode(data))
        return b"*" if answer is None else self.encode(answer)

    def encode(self, inp: SaslData) -> bytes:
        """Encode a response in base64; a str is encoded in UTF-8 first."""
        return b64encode(inp.encode() if isinstance(inp, str) else inp)

    def decode(self, inp: Buffer | str | None) -> bytes:
        """Decode a challenge from base64."""
        return a2b_base64(inp) if inp else b""
