"""What callers give, as octets for the wire: quoted where they must be, and never two arguments.

A text that is one quoted string already goes as it is, because programs have long quoted for
themselves. Octets are quoted like texts, and never encoded. Lists are put into parentheses. It
knows no connection; that no argument holds NUL, CR or LF is seen to where a command is put
together. What takes the place of a `?` is `_parameters`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from imaplus.errors import InvalidArgument
from imaplus.wire import mailbox_names
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sets import SequenceSet

Octets: TypeAlias = bytes | bytearray | memoryview
Text: TypeAlias = str | Octets
Bound: TypeAlias = "int | str | None"
"""An end of a range: a number, or "*" or None for the last message."""
SetItem: TypeAlias = "int | range | tuple[Bound, Bound]"
MessageSet: TypeAlias = "int | str | Octets | range | SequenceSet | Iterable[SetItem]"
Atoms: TypeAlias = "str | Octets | Iterable[str | bytes]"


class Literal(NamedTuple):
    """Octets that travel as a literal, in the middle of a command."""

    data: bytes
    binary: bool = False
    """As literal8, whose size has a ~ before it (RFC 3516, 4.2)."""


class Pieces(tuple[bytes | Literal, ...]):
    """One argument that has literals in it."""


Argument: TypeAlias = bytes | Pieces

_BARE: Final = lazy_pattern(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_BARE_PATTERN: Final = lazy_pattern(rb'[^\x00-\x20(){"\\\x7f-\xff]+')  # wildcards go as they are
_FLAG: Final = lazy_pattern(rb'\\?[^\x00-\x20(){%*"\\\x7f-\xff]+|\\\*')
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
_LIST_TOKEN: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^()"]++', re.S)
_SPECIAL: Final = lazy_pattern(rb'(["\\])')
_REFUSED: Final = lazy_pattern("[\0\r\n]")
_UNREADABLE: Final = lazy_pattern("[\udc00-\udcff]")  # what could not be read
# What FETCH is asked for, and then perhaps modifiers of FETCH in parentheses (RFC 4466, 2.4). What
# stands in brackets, such as BODY[HEADER.FIELDS (SUBJECT)], is part of an item.
_WITH_MODIFIERS: Final = lazy_pattern(r"((?:[^\[\]() ]++|\[[^\[\]]*+\]| (?!\())*) (\(.*\))", re.S)
MACROS: Final = frozenset((b"ALL", b"FULL", b"FAST"))
"""What FETCH may be asked for that is no item, and may not stand in parentheses."""


# -- strings ----------------------------------------------------------------------------------


def quote(data: bytes) -> bytes:
    """A quoted string (RFC 3501, 4.3)."""
    return b'"' + _SPECIAL.sub(rb"\\\1", data) + b'"'


def octets(text: object, encoding: str) -> bytes:
    """Encode a text; octets stay as they are. Raises TypeError for anything else."""
    if isinstance(text, str):
        return text.encode(encoding)
    if isinstance(text, Octets):
        return bytes(text)
    raise TypeError(f"an argument must be a str or bytes, not {text!r:.100}")


def may_be_bare(data: bytes, *, wildcards: bool = False) -> bool:
    """Whether octets may go as they are: an atom, or a quoted string that the caller has made.

    With `wildcards`, `*` and `%` may stand in it.
    """
    bare = _BARE_PATTERN if wildcards else _BARE
    return (bare.fullmatch(data) or _QUOTED.fullmatch(data)) is not None


def mailbox(name: Text, *, utf8: bool) -> str | bytes:
    """Encode a mailbox name: modified UTF-7 (RFC 3501, 5.1.3), or UTF-8 where that is enabled.

    As UTF-8 it is in Unicode's form C (RFC 9051, 5.1). Octets are a name that is encoded already.
    A text stays a text, unless it stands for octets that are none.

    Raises:
        TypeError: it is neither a text nor octets.
        InvalidArgument: the name has NUL, CR or LF, or a lone surrogate that stands for no octet.
    """
    if not isinstance(name, str):
        return octets(name, "ascii")
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
    """The name encoded, unless it is encoded already, as names from a LIST response are."""
    if name.isascii():
        raw = name.encode("ascii")
        if not _UNREADABLE.search(mailbox_names.decode_strictly(raw)):
            return raw
    return mailbox_names.encode(name)


def is_one_list(data: bytes) -> bool:
    """Whether this is a list in parentheses, from the first octet to the last."""
    if data[:1] != b"(" or data[-1:] != b")":
        return False
    depth = 0
    outline = _LIST_TOKEN.sub(b".", data)
    for index, octet in enumerate(outline):
        depth += (octet == ord("(")) - (octet == ord(")"))
        if octet == ord('"') or (depth == 0 and index + 1 < len(outline)):
            return False
    return depth == 0


# -- sets of messages -------------------------------------------------------------------------


def message_set(numbers: MessageSet) -> str:
    """A set of messages: a text or octets as they are, one number, or several.

    Several are numbers, `range`s and `(start, stop)` pairs, in which "*" or None is the last
    message.

    Raises:
        TypeError: it has what is no number of a message.
        InvalidArgument: it is empty or not ASCII, or a number is too small or too large.
    """
    if isinstance(numbers, str):
        return numbers
    if isinstance(numbers, Octets):
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
        raise TypeError(f"the number of a message must be an int, not {number!r:.100}")
    if not 0 < number < 1 << 32:
        raise InvalidArgument(f"not a message number: {number!r:.100}")
    return str(number)


# -- lists ------------------------------------------------------------------------------------


def atoms(names: Atoms, encoding: str) -> str | bytes:
    """A list in parentheses, made of several names; one text goes as it is.

    Raises:
        TypeError: one of several is neither a text nor octets.
    """
    if isinstance(names, str):
        return names
    if isinstance(names, Octets):
        return bytes(names)
    parts = _several(names)
    if all(isinstance(part, str) for part in parts):
        return f"({' '.join(parts)})"
    return b"(%b)" % b" ".join(octets(part, encoding) for part in parts)


def _several(names: object) -> list[Any]:
    if not isinstance(names, Iterable):
        raise TypeError(f"names must be a str or a list, not {names!r:.100}")
    return list(names)


def listed(names: Atoms, encoding: str) -> str | bytes:
    """The same, but one text too is put into parentheses, unless it is in them."""
    data = atoms(names, encoding)
    if isinstance(data, str):
        return data if data[:1] == "(" and data[-1:] == ")" else f"({data})"
    return data if data[:1] == b"(" and data[-1:] == b")" else b"(%b)" % data


def fetch_items(names: Atoms, encoding: str) -> tuple[str, str] | tuple[bytes, bytes]:
    """What FETCH is asked for, and the modifiers behind it with a space before them."""
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
    """Flags: a text or octets as they are, or several in parentheses.

    Raises:
        InvalidArgument: one of several is not a flag.
    """
    if not isinstance(names, Text):
        names = [flag(name, encoding) for name in _several(names)]
    return atoms(names, encoding)


def flag(name: object, encoding: str) -> str | bytes:
    """One flag. Raises TypeError if it is no text, and InvalidArgument if it is no flag."""
    if not isinstance(name, Text):
        raise TypeError(f"a flag must be a str, not {name!r:.100}")
    if not _FLAG.fullmatch(octets(name, encoding)):
        raise InvalidArgument(f"not a flag: {name!r:.100}")
    return name if isinstance(name, str) else bytes(name)


def id_fields(fields: Mapping[str, str | None] | None, encoding: str) -> bytes:
    """The fields of ID (RFC 2971): names and values in turn, or NIL for none at all."""
    if not fields:
        return b"NIL"
    told = (word for field in fields.items() for word in field)
    return b"(%b)" % b" ".join(
        b"NIL" if word is None else quote(word.encode(encoding)) for word in told
    )
