"""What callers give, as octets for the wire: quoted where they must be, and never two arguments.

`bytes` go as they are. A text that is one quoted string or one parenthesised list already does too,
because programs have long quoted for themselves. It knows no connection; that no argument holds
NUL, CR or LF is seen to where a command is put together.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from imaplus.errors import InvalidArgument
from imaplus.wire import mailbox_names
from imaplus.wire.dates import format_search_date
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sets import SequenceSet

Text: TypeAlias = str | bytes | bytearray
SetItem: TypeAlias = "int | str | bytes | range | tuple[int | None, int | None]"
MessageSet: TypeAlias = "int | str | bytes | bytearray | range | SequenceSet | Iterable[SetItem]"
Atoms: TypeAlias = "str | bytes | bytearray | Iterable[str | bytes]"
Parameter: TypeAlias = "str | bytes | int | date"
Parameters: TypeAlias = Sequence[Parameter]

LONGEST_QUOTED: Final = 1000
"""Octets of a parameter that still goes in quotes: servers limit the length of a line."""


class Literal(NamedTuple):
    """Octets that travel as a literal, in the middle of a command."""

    data: bytes


class Pieces(tuple[bytes | Literal, ...]):
    """One argument that has literals in it."""


Argument: TypeAlias = bytes | Pieces

_BARE: Final = lazy_pattern(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_BARE_PATTERN: Final = lazy_pattern(rb'[^\x00-\x20(){"\\\x7f-\xff]+')  # wildcards go as they are
_FLAG: Final = lazy_pattern(rb'\\?[^\x00-\x20(){%*"\\\x7f-\xff]+|\\\*')
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
_LIST_TOKEN: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^()"]++', re.S)
_SPECIAL: Final = lazy_pattern(rb'(["\\])')
_CONTROL: Final = lazy_pattern(rb"[\x00-\x1f\x7f]")
_KEPT: Final = lazy_pattern("[\udc00-\udcff]")  # what could not be read
_PLACEHOLDER: Final = lazy_pattern(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(\?)', re.S)


# -- strings ----------------------------------------------------------------------------------


def quote(data: bytes) -> bytes:
    """A quoted string (RFC 3501, 4.3)."""
    return b'"' + _SPECIAL.sub(rb"\\\1", data) + b'"'


def astring(text: Text, encoding: str) -> bytes:
    """A text that is quoted if it must be: a user, a quota root, an identifier."""
    if not isinstance(text, str):
        return bytes(text)
    return _quoted_if_needed(text.encode(encoding), _BARE)


def pattern(text: Text, encoding: str) -> bytes:
    """The same where `*` and `%` are wildcards."""
    if not isinstance(text, str):
        return bytes(text)
    return _quoted_if_needed(text.encode(encoding), _BARE_PATTERN)


def mailbox(name: Text, *, utf8: bool, wildcards: bool = False) -> bytes:
    """A mailbox name: modified UTF-7 (RFC 3501, 5.1.3), or UTF-8 where that is enabled.

    As UTF-8 it is in Unicode's form C (RFC 9051, 5.1). Bytes go as they are.

    Raises:
        InvalidArgument: the name has a lone surrogate that stands for no octet.
    """
    if not isinstance(name, str):
        return bytes(name)
    data = mailbox_names.encode_utf8(mailbox_names.composed(name)) if utf8 else _modified_utf7(name)
    return _quoted_if_needed(data, _BARE_PATTERN if wildcards else _BARE)


def _modified_utf7(name: str) -> bytes:
    """The name encoded, unless it is encoded already, as names from a LIST response are.

    Control characters do not decide that: a server that lists a name with a TAB wants it back.
    """
    if name.isascii():
        raw = name.encode("ascii")
        if not _KEPT.search(mailbox_names.decode_strictly(_CONTROL.sub(b"?", raw))):
            return raw
    return mailbox_names.encode(name)


def _quoted_if_needed(data: bytes, bare: re.Pattern[bytes]) -> bytes:
    if bare.fullmatch(data) or _QUOTED.fullmatch(data) or _is_one_list(data):
        return data
    return quote(data)


def _is_one_list(data: bytes) -> bool:
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


# -- sets and lists ---------------------------------------------------------------------------


def message_set(numbers: MessageSet) -> bytes:
    """A set of messages: a text or bytes as they are, one number, or several.

    Several are numbers, `range`s, `(start, stop)` pairs, in which None stands for `*`, and texts.

    Raises:
        InvalidArgument: it is empty, or has what is not a message number.
    """
    if isinstance(numbers, str):
        return numbers.encode("ascii")
    if isinstance(numbers, bytes | bytearray):
        return bytes(numbers)
    if isinstance(numbers, SequenceSet):
        found = bytes(numbers)
    elif isinstance(numbers, int | range):
        found = b",".join(_set_item(numbers))
    else:
        found = b",".join(part for item in numbers for part in _set_item(item))
    if not found:
        raise InvalidArgument("the set of messages is empty")
    return found


def _set_item(item: SetItem) -> Iterator[bytes]:
    match item:
        case str():
            yield item.encode("ascii")
        case bytes():
            yield item
        case range():
            if abs(item.step) == 1 and len(item) > 1:
                yield b"%b:%b" % (_number(item[0]), _number(item[-1]))
            else:
                yield from map(_number, item)
        case (start, stop):
            yield b"%b:%b" % (_number(start), _number(stop))
        case _:
            yield _number(item)


def _number(number: object) -> bytes:
    if number is None:
        return b"*"
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 1 << 32:
        raise InvalidArgument(f"not a message number: {number!r:.100}")
    return b"%d" % number


def atoms(names: Atoms, encoding: str) -> bytes:
    """A list in parentheses, made of several names; one text goes as it is."""
    if isinstance(names, str):
        return names.encode(encoding)
    if isinstance(names, bytes | bytearray):
        return bytes(names)
    return b"(%b)" % b" ".join(atoms(name, encoding) for name in names)


def listed(names: Atoms, encoding: str) -> bytes:
    """The same, but one text too is put into parentheses, unless it is in them."""
    data = atoms(names, encoding)
    return data if data[:1] == b"(" and data[-1:] == b")" else b"(%b)" % data


def flags(names: Atoms, encoding: str) -> bytes:
    """Flags in parentheses.

    Raises:
        InvalidArgument: one of several is not a flag.
    """
    if not isinstance(names, str | bytes | bytearray):
        names = list(names)
        for name in names:
            if not _FLAG.fullmatch(atoms(name, encoding)):
                raise InvalidArgument(f"not a flag: {name!r:.100}")
    return listed(names, encoding)


def id_fields(fields: Mapping[str, str | None] | None, encoding: str) -> bytes:
    """The fields of ID (RFC 2971): names and values in turn, or NIL for none at all."""
    if not fields:
        return b"NIL"
    told = (word for field in fields.items() for word in field)
    return b"(%b)" % b" ".join(
        b"NIL" if word is None else quote(word.encode(encoding)) for word in told
    )


# -- criteria and their parameters ------------------------------------------------------------


def encoder(charset: Text | None, encoding: str) -> str:
    """The codec for texts under a charset that SEARCH names; `encoding` where it names none."""
    if not charset:
        return encoding
    name = charset if isinstance(charset, str) else bytes(charset).decode("ascii", "replace")
    try:
        return codecs.lookup(name.strip('"')).name
    except (LookupError, ValueError):
        return encoding  # a charset that only the server knows: texts must be ASCII


def substitute(
    texts: Iterable[Text], params: Parameters, codec: str, *, utf8: bool
) -> Iterator[Argument]:
    """Texts in which each `?` outside quotes has become the next of the parameters.

    A parameter goes in quotes, or as a literal where it cannot: line breaks, octets beyond ASCII.

    Raises:
        InvalidArgument: there are more, or fewer, parameters than `?`, or one has a NUL.
    """
    waiting = iter(params)
    for text in texts:
        if not isinstance(text, str):
            yield bytes(text)
            continue
        pieces: list[bytes | Literal] = []
        at = 0
        for found in _PLACEHOLDER.finditer(text):
            if found[1] is None:
                continue
            value = next(waiting, None)
            if value is None:
                raise InvalidArgument("there are more ? than parameters")
            pieces += (text[at : found.start()].encode(codec), _parameter(value, codec, utf8))
            at = found.end()
        pieces.append(text[at:].encode(codec))
        yield Pieces(pieces)
    if next(waiting, None) is not None:
        raise InvalidArgument("there are more parameters than ?")


def _parameter(value: Parameter, codec: str, utf8: bool) -> bytes | Literal:
    if isinstance(value, date):
        return format_search_date(value)
    if isinstance(value, int):
        return b"%d" % value
    data = value.encode(codec) if isinstance(value, str) else bytes(value)
    if b"\0" in data:
        raise InvalidArgument("a NUL cannot travel in a string (RFC 3501, 4.3)")
    fits = data.isascii() or (utf8 and isinstance(value, str))
    if fits and len(data) <= LONGEST_QUOTED and b"\r" not in data and b"\n" not in data:
        return quote(data)
    return Literal(data)
