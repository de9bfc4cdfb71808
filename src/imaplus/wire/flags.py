"""Flags and keywords as callers give them: one text or several, checked where they are given.

How flags are written into a command stands in `writer`; which of them a mailbox takes is not known
here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from imaplus.errors import InvalidArgument
from imaplus.wire.patterns import lazy_pattern

FlagsLike: TypeAlias = "str | Iterable[str]"
"""One flag or keyword, such as `Flag.SEEN` or "$Work", or an iterable of them."""

_FLAG: Final = lazy_pattern(rb'\\?[^\x00-\x20(){%*"\\\x7f-\xff]+')


def flags_of(*flags: FlagsLike) -> frozenset[str]:
    """The flags that are given, each argument being one flag or an iterable of flags.

    Raises:
        InvalidArgument: one of them is not a flag (RFC 9051, 9).
    """
    if len(flags) == 1 and type(flags[0]) is frozenset:
        return _check(flags[0])
    found: list[str] = []
    for each in flags:
        if isinstance(each, str):
            found.append(each)
            continue
        try:
            found += each
        except TypeError:
            found.append(each)  # type: ignore[arg-type]  # it is told below that it is no flag
    for flag in found:
        encode_flag(flag)
    return frozenset(map(str, found))  # of a constant, its text


# Of thousands of commands that are given together, most have the same.
@lru_cache(maxsize=256)
def _check(flags: frozenset[str]) -> frozenset[str]:
    for flag in flags:
        encode_flag(flag)
    return frozenset(map(str, flags))


def encode_flag(flag: str) -> bytes:
    """flag = "\\" atom / atom.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        data = flag.encode("ascii")
    except (UnicodeEncodeError, AttributeError):
        raise InvalidArgument(f"expected a flag or keyword in ASCII, found {flag!r}") from None
    if not _FLAG.fullmatch(data):
        raise InvalidArgument(f"expected a flag or keyword (RFC 9051, 9), found {flag!r}")
    return data
