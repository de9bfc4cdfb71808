"""Names as callers give them, one or several: of mechanisms, extensions, STATUS items, labels.

A lone `str` is one name, and never taken for an iterable of its letters.
"""

from __future__ import annotations

from collections.abc import Iterable

from imaplus.errors import InvalidArgument


def names_of(what: str, *given: str | Iterable[str]) -> tuple[str, ...]:
    """The names that are given, in order, each argument being one name or an iterable of names.

    `what` says for an error what they are names of.

    Raises:
        InvalidArgument: one of them is no text.
    """
    found: list[object] = []
    for each in given:
        if isinstance(each, str | bytes) or not hasattr(each, "__iter__"):
            found.append(each)
        else:
            found += each
    names = tuple(name for name in found if isinstance(name, str))
    if len(names) < len(found):
        wrong = next(type(name) for name in found if not isinstance(name, str))
        raise InvalidArgument(f"expected {what} as str, found {wrong.__name__}")
    return names
