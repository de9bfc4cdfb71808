"""Parsing of a message whose BODYSTRUCTURE the server does not send.

The `email` package parses it. Parts are numbered as in FETCH, and their content is decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from imaplus.core.parts import Disposition, Multipart, Part, TextPart

if TYPE_CHECKING:
    from email.message import Message


class Local(NamedTuple):
    """The structure of a message, and the content of its parts."""

    structure: Part
    contents: dict[str, bytes]
    """The decoded content of each part that is not a multipart, by section."""


def take_apart(data: bytes) -> Local:
    """Parse a message. Never raises: a message that cannot be parsed is one plain text."""
    from email import message_from_bytes

    contents: dict[str, bytes] = {}
    try:
        return Local(_body(message_from_bytes(data), "", contents), contents)
    except Exception:  # anything: the package documents no errors
        _, _, text = data.partition(b"\r\n\r\n")
        part = TextPart("1", "text", "plain", encoding="8bit", size=len(text))
        return Local(part, {"1": text})


def _body(message: Message[str, str], prefix: str, contents: dict[str, bytes]) -> Part:
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        return _multipart(message, f"{prefix}TEXT", prefix, contents)
    return _single(message, f"{prefix}1", contents)


def _part(message: Message[str, str], section: str, contents: dict[str, bytes]) -> Part:
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        return _multipart(message, section, f"{section}.", contents)
    return _single(message, section, contents)


def _multipart(
    message: Message[str, str], section: str, prefix: str, contents: dict[str, bytes]
) -> Part:
    below: Any = message.get_payload()
    parts = tuple(_part(each, f"{prefix}{n}", contents) for n, each in enumerate(below, 1))
    params = _params(message, "content-type")
    return Multipart(section, "multipart", message.get_content_subtype(), params, parts=parts)


def _single(message: Message[str, str], section: str, contents: dict[str, bytes]) -> Part:
    if message.is_multipart():  # an attached message
        inner: Any = message.get_payload(0)
        data = inner.as_bytes()
    else:
        payload: Any = message.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
    contents[section] = data
    media, subtype = message.get_content_maintype(), message.get_content_subtype()
    named = message.get_content_disposition()
    disposition = None
    if named is not None:
        disposition = Disposition(named, _params(message, "content-disposition"))
    kind = TextPart if media == "text" else Part
    return kind(
        section,
        media,
        subtype,
        _params(message, "content-type"),
        message.get("content-id"),
        encoding="8bit",
        size=len(data),
        disposition=disposition,
    )


def _params(message: Message[str, str], header: str) -> dict[str, str]:
    from email.utils import collapse_rfc2231_value

    found = message.get_params(header=header) or []
    return {name.lower(): collapse_rfc2231_value(value) for name, value in found[1:]}
