"""Reading every field of an ENVELOPE and of a BODYSTRUCTURE: what is lazy is parsed by that."""

from __future__ import annotations

from operator import attrgetter

from imaplus import Envelope
from imaplus.types import MessagePart, Part, TextPart

_TEXTS = attrgetter("raw_date", "raw_subject", "in_reply_to", "message_id")
_PEOPLE = attrgetter("from_", "sender", "reply_to", "to", "cc", "bcc")
_ADDRESS = attrgetter("raw_name", "mailbox", "host", "group")
_PART = attrgetter(
    *("section", "type", "subtype", "params", "content_id", "raw_description", "encoding"),
    *("size", "md5", "disposition", "language", "location"),
)


def touch_envelope(envelope: Envelope) -> None:
    """Its four texts, and all of everybody's address."""
    _TEXTS(envelope)
    for people in _PEOPLE(envelope):
        for person in people:
            _ADDRESS(person)


def touch_structure(root: Part) -> None:
    """Each part, whatever its kind."""
    for part in root.walk():
        disposition = _PART(part)[9]
        if disposition is not None:
            disposition.params  # noqa: B018 - touched
        if isinstance(part, TextPart):
            part.lines  # noqa: B018 - touched
        elif isinstance(part, MessagePart) and part.envelope is not None:
            touch_envelope(part.envelope)
