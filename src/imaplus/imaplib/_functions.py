"""The functions of the module: dates, flags, tags, and base64 for SASL. They know no connection."""

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
    """How many more parentheses it opens than it closes, outside quotes. Linear in its length."""
    text = _QUOTED.sub(b"", text)
    return text.count(b"(") - text.count(b")")


def Internaldate2tuple(resp: Buffer) -> time.struct_time | None:  # noqa: N802
    """The local time of an INTERNALDATE in a FETCH response, None if it has none."""
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
    """A number in base 16, with the letters A to P for digits; nothing for 0."""
    rest = int(abs(num))
    digits = bytearray()
    while rest:
        rest, digit = divmod(rest, 16)
        digits.append(_NIBBLES[digit])
    digits.reverse()
    return bytes(digits)


def ParseFlags(resp: Buffer) -> tuple[bytes, ...]:  # noqa: N802
    """The flags in a FETCH response, one by one."""
    found = public.Flags.match(resp)
    return tuple(found["flags"].split()) if found else ()


def Time2Internaldate(date_time: TimeLike) -> str:  # noqa: N802
    """A time as APPEND wants it: `"DD-Mmm-YYYY HH:MM:SS +HHMM"`, the quotes included.

    The time is a number of seconds since the epoch, a local `struct_time` or 9-tuple, an aware
    `datetime`, or a text in quotes, which is taken to be right.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(date_time, str):
        if date_time[:1] != '"' or date_time[-1:] != '"':
            raise ValueError("a date as text must have double quotes around it")
        return date_time
    moment = _moment(date_time)
    month = MONTHS[moment.month - 1]  # strftime's would be in the language of the locale
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
            raise ValueError("date_time must be aware: it has no time zone")
        return date_time
    raise ValueError("date_time is of no type that is known")


def _local_offset(fields: tuple[int, ...]) -> int:
    """Seconds east of UTC, for a local time that says itself whether it is in summer, or not."""
    time = public.time
    if not time.daylight:
        return -time.timezone
    summer = fields[8]
    if summer == -1:
        summer = time.localtime(time.mktime(fields)).tm_isdst  # type: ignore[arg-type]
    return -time.altzone if summer else -time.timezone


def _paren_depth(data: bytes, depth: int = 0) -> int:
    """How deep in parentheses one is behind this, having been so deep before it."""
    return depth + balance(data)


class _Authenticator:
    """Takes the base64 from a conversation of challenges and responses.

    `mech` is called with each challenge and returns the response, or None to give up.
    """

    def __init__(self, mechinst: Callable[[bytes], SaslData | None]) -> None:
        self.mech = mechinst

    def process(self, data: Buffer | str | None) -> bytes:
        """The line that answers a challenge."""
        answer = self.mech(self.decode(data))
        return b"*" if answer is None else self.encode(answer)

    def encode(self, inp: SaslData) -> bytes:
        """A response in base64; text is UTF-8."""
        return b64encode(inp.encode() if isinstance(inp, str) else inp)

    def decode(self, inp: Buffer | str | None) -> bytes:
        """A challenge without its base64."""
        return a2b_base64(inp) if inp else b""
