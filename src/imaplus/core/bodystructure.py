"""BODYSTRUCTURE and BODY: the tree of a message's MIME parts (RFC 9051, 7.5.2).

It knows the fields of a part, the numbers that FETCH calls it by (6.4.5.1), and the shapes in which
servers send them instead. It never fetches; what a part contains is not its business.
"""

from __future__ import annotations

from typing import Final

from imaplus.core.envelope import parse_envelope
from imaplus.core.parts import Disposition, MessagePart, Multipart, Part, TextPart
from imaplus.errors import ProtocolError
from imaplus.wire.cursor import MAX_NUMBER64, Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tree import Tree, show, tree

MAX_PARTS: Final = 10_000
"""Parts of one message: where Dovecot stops to count them, too."""

# quirk 11, 12: mail.ru sends 9.3736e+06, Dovecot and Exchange -1.
_NUMBER: Final = lazy_pattern(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")
_MEDIA_TYPES: Final = frozenset(
    "application audio font image message model multipart text video".split()
)
_DEFAULT_SUBTYPES: Final = {"text": "plain", "multipart": "mixed", "message": "rfc822"}
_DISPOSITIONS: Final = frozenset({"inline", "attachment"})  # RFC 2183, 2.1 and 2.2


def bodystructure(c: Cursor) -> Part:
    """Read the value of BODYSTRUCTURE or of BODY without a section.

    Raises:
        ProtocolError: it is no body structure, by any reading (quirk 73: Bluemind).
    """
    return _Reader().body(tree(c), "")


class _Reader:
    """Turns lists into parts. It recurses as deep as the cursor lets lists be nested."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def body(self, value: Tree, prefix: str) -> Part:
        """The body of a message: `prefix` is "" or, in a message that is part 3, "3."."""
        fields = self._fields(value)
        if _is_multipart(fields):
            return self._multipart(fields, f"{prefix}TEXT", prefix)
        return self._single(fields, f"{prefix}1")

    def _part(self, value: Tree, section: str) -> Part:
        fields = self._fields(value)
        if _is_multipart(fields):
            return self._multipart(fields, section, f"{section}.")
        return self._single(fields, section)

    def _fields(self, value: Tree) -> list[Tree]:
        if not isinstance(value, list) or not value:
            raise ProtocolError(f"expected a body structure, found {show(value)}")
        self._count += 1
        if self._count > MAX_PARTS:
            raise ProtocolError(f"a message of more than {MAX_PARTS} parts")
        return value

    def _multipart(self, fields: list[Tree], section: str, prefix: str) -> Multipart:
        # body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
        end = next((at for at, each in enumerate(fields) if isinstance(each, str)), len(fields))
        bodies = [each for each in fields[:end] if each is not None]  # quirk 64: NIL for no parts
        parts = [self._part(body, f"{prefix}{n}") for n, body in enumerate(bodies, 1)]
        tail: list[Tree] = [*fields[end:], None, None]
        disposition, language, location = _extension(tail[2:])
        return Multipart(
            section,
            "multipart",
            (_text(tail[0]) or "mixed").lower(),
            _params(tail[1]),
            disposition=disposition,
            language=language,
            location=location,
            parts=tuple(parts),
        )

    def _single(self, fields: list[Tree], section: str) -> Part:
        # body-type-1part = (body-type-basic / body-type-msg / body-type-text)
        #                   [SP body-ext-1part]
        media, subtype, at = _media_type(fields)
        if len(fields) < at + 5:
            raise ProtocolError(f"expected the fields of a body part, found {len(fields)}")
        # body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP
        #               body-fld-octets
        params, content_id, description, encoding, size = fields[at : at + 5]
        rest = fields[at + 5 :]
        head = (
            section,
            media,
            subtype,
            _params(params),
            _text(content_id),
            _text(description),
            (_text(encoding) or "7bit").lower(),  # quirk 72: NIL
            None if size is None else _number(size),
        )
        if media == "text":
            lines, rest = _lines(rest)
            return TextPart(*head, *_tail(rest), lines)
        if media == "message" and subtype in ("rfc822", "global"):
            # body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines
            if not _holds_message(rest):
                return MessagePart(*head, *_tail(rest))
            envelope = parse_envelope(rest[0]) if rest[0] else None
            body = self.body(rest[1], f"{section}.") if rest[1] else None  # quirk 68: ()
            lines, rest = _lines(rest[2:])
            return MessagePart(*head, *_tail(rest), envelope, body, lines)
        if media == "multipart":
            return Multipart(*head, *_tail(rest))  # quirk 69: its parts are not told
        return Part(*head, *_tail(rest))


def _is_multipart(fields: list[Tree]) -> bool:
    """Whether these are the fields of a multipart, its parts first or missing."""
    media = fields[0]
    if isinstance(media, list):
        return True
    if media is not None and len(fields) > 1 and isinstance(fields[1], str):
        return False
    if any(map(_is_number, fields[5:7])):  # the size of quirk 65 or 66, as no multipart has one
        return False
    if media is None:
        return isinstance(fields[1] if len(fields) > 1 else None, str)  # quirk 64: NIL for parts
    return media.lower() not in _MEDIA_TYPES  # quirk 63: Gmail starts with the subtype if no parts


def _media_type(fields: list[Tree]) -> tuple[str, str, int]:
    """The type and subtype of a part, in lower case, and how many fields they take."""
    media = (_text(fields[0]) or "").lower()
    second = fields[1] if len(fields) > 1 else None
    if isinstance(second, str):
        subtype, taken = second.lower(), 2
    else:  # quirk 66: NIL for the subtype, or nothing, and then the size comes earlier
        subtype, taken = "", 1 if any(map(_is_number, fields[5:6])) else 2
    if not subtype and media not in _MEDIA_TYPES:
        media, subtype = "", media  # quirk 66: a subtype alone
    media = media or "application"  # quirk 65: Office 365 knows neither
    return media, subtype or _DEFAULT_SUBTYPES.get(media, "octet-stream"), taken


def _lines(rest: list[Tree]) -> tuple[int, list[Tree]]:
    """body-fld-lines, and what follows it."""
    if not rest:
        return 0, rest
    if _is_number(rest[0]):
        return _number(rest[0]), rest[1:]
    # quirk 72: NIL for the lines, or no such field; only their number tells which.
    return 0, rest[1:] if len(rest) > 4 else rest


def _holds_message(rest: list[Tree]) -> bool:
    """Whether an envelope and a body follow (quirk 67: not if the message is encoded)."""
    if len(rest) < 2 or isinstance(rest[0], str) or isinstance(rest[1], str):
        return False
    if rest[0] is None:  # the envelope, or the MD5 of body-ext-1part
        return len(rest) > 2 and _is_number(rest[2])
    return True


def _tail(
    rest: list[Tree],
) -> tuple[str | None, Disposition | None, tuple[str, ...], str | None]:
    # body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc
    #                  *(SP body-extension)]]]
    if not rest:
        return None, None, (), None
    md5 = rest[0] if isinstance(rest[0], str) else None  # quirk 69: the parameters once more
    return md5, *_extension(rest[1:])


def _extension(fields: list[Tree]) -> tuple[Disposition | None, tuple[str, ...], str | None]:
    """[body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]"""
    if fields.count(None) == len(fields):
        return None, (), None
    disposition, language, location = [*fields, None, None, None][:3]
    if _is_disposition(language) and not _is_disposition(disposition):
        disposition, language = language, disposition  # quirk 70: swapped
    return (
        _disposition(disposition),
        _languages(language),
        location if isinstance(location, str) else None,  # quirk 71: ()
    )


def _is_disposition(value: Tree) -> bool:
    # body-fld-dsp = "(" string SP body-fld-param ")" / nil
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return False
    return isinstance(value[1], list) or value[0].lower() in _DISPOSITIONS


def _disposition(value: Tree) -> Disposition | None:
    params: Tree = None
    bare = isinstance(value, str)  # quirk 70: without its list
    if isinstance(value, list):
        value, params = [*value, None, None][:2]  # quirk 70: (NIL NIL)
    text = (_text(value) or "").strip('"').lower()  # quirk 70: quotes within the quotes
    if not text or (bare and text not in _DISPOSITIONS):
        return None  # quirk 70: Exchange puts a description where the disposition belongs
    return Disposition(text, _params(params))


def _languages(value: Tree) -> tuple[str, ...]:
    # body-fld-lang = nstring / "(" string *(SP string) ")"
    if isinstance(value, list):
        return tuple(each for each in value if isinstance(each, str))  # quirk 71: NIL among them
    return () if value is None else (value,)


def _params(value: Tree) -> dict[str, str]:
    # body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
    if not isinstance(value, list):
        return {}
    return {
        name.lower(): each if isinstance(each, str) else ""  # quirk 72: NIL for a value
        for name, each in zip(value[::2], value[1::2], strict=False)
        if isinstance(name, str)
    }


def _text(value: Tree) -> str | None:
    if isinstance(value, list):
        raise ProtocolError(f"expected a text in a body structure, found a list of {len(value)}")
    return value


def _is_number(value: Tree) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def _number(value: Tree) -> int:
    """number, as far as it can be taken for one; at most 64 bits."""
    if value is None:
        return 0
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ProtocolError(f"expected a number in a body structure, found {show(value)}")
    number = int(value) if value.isdigit() else max(0, int(float(value)))  # quirk 11, 12
    if number > MAX_NUMBER64:
        raise ProtocolError(f"expected a number of at most 64 bits, found {show(value)}")
    return number
