"""Encode the arguments of commands: quote strings, encode mailbox names, parenthesise lists.

A str that already is one quoted string is sent unchanged: programs written for imaplib quote their
arguments themselves. bytes are quoted like a str but never encoded. These functions do not use the
connection. `Machine._segments` rejects NUL, CR and LF. Placeholders (`?`) are in `_parameters`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from imaplus.errors import InvalidArgument
from imaplus.wire import mailbox_names
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sets import SequenceSet

BytesLike: TypeAlias = bytes | bytearray | memoryview
Text: TypeAlias = str | BytesLike
Bound: TypeAlias = "int | str | None"
"""An end of a range: a number, or "*" or None for the last message."""
SetItem: TypeAlias = "int | range | tuple[Bound, Bound]"
MessageSet: TypeAlias = "int | str | BytesLike | range | SequenceSet | Iterable[SetItem]"
Atoms: TypeAlias = "str | BytesLike | Iterable[str | bytes]"


class Literal(NamedTuple):
    """Bytes sent as a literal in the middle of a command."""

    data: bytes
    binary: bool = False
    """Whether it is sent as a literal8, with `~` before its size (RFC 3516, 4.2)."""


class Pieces(tuple[bytes | Literal, ...]):
    """One argument that contains literals."""


Argument: TypeAlias = bytes | Pieces

_BARE: Final = lazy_pattern(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_BARE_PATTERN: Final = lazy_pattern(rb'[^\x00-\x20(){"\\\x7f-\xff]+')  # wildcards allowed
_FLAG: Final = lazy_pattern(rb'\\?[^\x00-\x20(){%*"\\\x7f-\xff]+|\\\*')
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
_LIST_TOKEN: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^()"]++', re.S)
_SPECIAL: Final = lazy_pattern(rb'(["\\])')
_REFUSED: Final = lazy_pattern("[\0\r\n]")
_UNREADABLE: Final = lazy_pattern("[\udc00-\udcff]")  # undecodable bytes
# The items of a FETCH, then optional modifiers in parentheses (RFC 4466, 2.4). Brackets, such as
# in BODY[HEADER.FIELDS (SUBJECT)], belong to an item.
_WITH_MODIFIERS: Final = lazy_pattern(r"((?:[^\[\]() ]++|\[[^\[\]]*+\]| (?!\())*) (\(.*\))", re.S)
MACROS: Final = frozenset((b"ALL", b"FULL", b"FAST"))
"""FETCH macros: they replace the list of items and must not be in parentheses."""


# -- strings ----------------------------------------------------------------------------------


def quote(data: bytes) -> bytes:
    """Return `data` as a quoted string (RFC 3501, 4.3)."""
    return b'"' + _SPECIAL.sub(rb"\\\1", data) + b'"'


def to_bytes(text: object, encoding: str) -> bytes:
    """Encode a str; return bytes unchanged. Raises TypeError for any other type."""
    if isinstance(text, str):
        return text.encode(encoding)
    if isinstance(text, BytesLike):
        return bytes(text)
    raise TypeError(f"an argument must be a str or bytes, not {text!r:.100}")


def may_be_bare(data: bytes, *, wildcards: bool = False) -> bool:
    """Return whether `data` needs no quoting: it is an atom, or already a quoted string.

    With `wildcards`, the atom may contain `*` and `%`.
    """
    bare = _BARE_PATTERN if wildcards else _BARE
    return (bare.fullmatch(data) or _QUOTED.fullmatch(data)) is not None


def mailbox(name: Text, *, utf8: bool) -> str | bytes:
    """Encode a mailbox name: modified UTF-7 (RFC 3501, 5.1.3), or UTF-8 if `utf8` is true.

    UTF-8 names are normalised to NFC (RFC 9051, 5.1). bytes are returned unchanged. For a str, the
    result is a str, or bytes if the encoded name cannot be decoded as text.

    Raises:
        TypeError: `name` is neither str nor bytes.
        InvalidArgument: `name` contains NUL, CR or LF, or an invalid lone surrogate.
    """
    if not isinstance(name, str):
        return to_bytes(name, "ascii")
    if _REFUSED.search(name):
        raise InvalidArgument("NUL, CR and LF are not allowed in commands")
    data = _utf8(name) if utf8 else _modified_utf7(name)
    try:
        return data.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError:
        return data


def _utf8(name: str) -> bytes:
    return mailbox_names.encode_utf8(mailbox_names.compose(name))


def _modified_utf7(name: str) -> bytes:
    """Encode a name, unless it is encoded already, as names from a LIST response are."""
    if name.isascii():
        raw = name.encode("ascii")
        if not _UNREADABLE.search(mailbox_names.decode_strictly(raw)):
            return raw
    return mailbox_names.encode(name)


def is_one_list(data: bytes) -> bool:
    """Return whether the whole of `data` is one parenthesised list."""
    if data[:1] != b"(" or data[-1:] != b")":
        return False
    depth = 0
    outline = _LIST_TOKEN.sub(b".", data)
    for index, byte in enumerate(outline):
        depth += (byte == ord("(")) - (byte == ord(")"))
        if byte == ord('"') or (depth == 0 and index + 1 < len(outline)):
            return False
    return depth == 0


# -- sets of messages -------------------------------------------------------------------------


def message_set(numbers: MessageSet) -> str:
    """Format a set of messages: a str or bytes (unchanged), one number, or an iterable.

    Items of the iterable are numbers, `range`s and `(start, stop)` pairs; in a pair, "*" or None
    is the last message.

    Raises:
        TypeError: an item has another type.
        InvalidArgument: the set is empty or not ASCII, or a number is below 1 or above 2**32 - 1.
    """
    if isinstance(numbers, str):
        return numbers
    if isinstance(numbers, BytesLike):
        return _ascii(bytes(numbers))
    if isinstance(numbers, SequenceSet):
        found = bytes(numbers).decode("ascii")
    elif isinstance(numbers, int | range):
        found = ",".join(_set_item(numbers))
    elif not isinstance(numbers, Iterable):
        raise TypeError(f"a set of messages must be a str, an int or a list, not {numbers!r:.100}")
    else:
        found = ",".join(part for item in numbers for part in _set_item(item))
    if not found:
        raise InvalidArgument("the set of messages is empty")
    return found


def _ascii(numbers: bytes) -> str:
    try:
        return numbers.decode("ascii")
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"not a set of messages: {numbers!r:.100}") from error


def _set_item(item: object) -> Iterator[str]:
    match item:
        case range():
            if abs(item.step) == 1 and len(item) > 1:
                yield f"{_number(item[0])}:{_number(item[-1])}"
            else:
                yield from map(_number, item)
        case tuple() | list() if len(item) == 2:
            yield ":".join("*" if end is None or end == "*" else _number(end) for end in item)
        case _:
            yield _number(item)


def _number(number: object) -> str:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"a message number must be an int, not {number!r:.100}")
    if not 0 < number < 1 << 32:
        raise InvalidArgument(f"not a message number: {number!r:.100}")
    return str(number)


# -- lists ------------------------------------------------------------------------------------


def atoms(names: Atoms, encoding: str) -> str | bytes:
    """Format several names as a parenthesised list; return a single str or bytes unchanged.

    Raises:
        TypeError: a name is neither str nor bytes.
    """
    if isinstance(names, str):
        return names
    if isinstance(names, BytesLike):
        return bytes(names)
    parts = _as_list(names)
    if all(isinstance(part, str) for part in parts):
        return f"({' '.join(parts)})"
    return b"(%b)" % b" ".join(to_bytes(part, encoding) for part in parts)


def _as_list(names: object) -> list[Any]:
    if not isinstance(names, Iterable):
        raise TypeError(f"names must be a str or a list, not {names!r:.100}")
    return list(names)


def parenthesise(names: Atoms, encoding: str) -> str | bytes:
    """Format names as a parenthesised list, adding parentheses to a single str without them."""
    data = atoms(names, encoding)
    if isinstance(data, str):
        return data if data[:1] == "(" and data[-1:] == ")" else f"({data})"
    return data if data[:1] == b"(" and data[-1:] == b")" else b"(%b)" % data


def fetch_items(names: Atoms, encoding: str) -> tuple[str, str] | tuple[bytes, bytes]:
    """Split the argument of FETCH into its items and its modifiers.

    The modifiers begin with a space; they are empty if there are none.
    """
    if isinstance(names, list | tuple) and len(names) == 1:
        names = names[0]
    data = atoms(names, encoding)
    text = data if isinstance(data, str) else data.decode("latin-1")
    found = _WITH_MODIFIERS.fullmatch(text)
    items, modifiers = (found[1], f" {found[2]}") if found else (text, "")
    if isinstance(data, bytes):
        return items.encode("latin-1"), modifiers.encode("latin-1")
    return items, modifiers


def flags(names: Atoms, encoding: str) -> str | bytes:
    """Format flags: a str or bytes (unchanged), or an iterable as a parenthesised list.

    Raises:
        TypeError: a flag is neither str nor bytes.
        InvalidArgument: an item of the iterable is not a valid flag.
    """
    if not isinstance(names, Text):
        names = [flag(name, encoding) for name in _as_list(names)]
    return atoms(names, encoding)


def flag(name: object, encoding: str) -> str | bytes:
    """Check one flag and return it. Raises TypeError or InvalidArgument."""
    if not isinstance(name, Text):
        raise TypeError(f"a flag must be a str, not {name!r:.100}")
    if not _FLAG.fullmatch(to_bytes(name, encoding)):
        raise InvalidArgument(f"not a flag: {name!r:.100}")
    return name if isinstance(name, str) else bytes(name)


def id_fields(fields: Mapping[str, str | None] | None, encoding: str) -> bytes:
    """Format the fields of ID (RFC 2971): names and values alternating, or NIL without fields."""
    if not fields:
        return b"NIL"
    words = (word for field in fields.items() for word in field)
    return b"(%b)" % b" ".join(
        b"NIL" if word is None else quote(word.encode(encoding)) for word in words
    )
