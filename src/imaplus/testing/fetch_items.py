"""The FETCH items without brackets, except bodies: how each is formatted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from imaplus.testing import identities, mime
from imaplus.testing.gmail import GmailAccount
from imaplus.testing.outgoing import Piece
from imaplus.testing.replies import mailbox, parens
from imaplus.testing.session import Session
from imaplus.testing.store import Message
from imaplus.testing.structure import body, envelope
from imaplus.wire.dates import format_internaldate

Item = Callable[[Session, Message], list[Piece]]
"""Returns one item of a FETCH response: its name, a space and its value."""


def _uid(session: Session, message: Message) -> list[Piece]:
    return [b"UID %d" % message.uid]


def _flags(session: Session, message: Message) -> list[Piece]:
    return [b"FLAGS " + session.flags(message)]


def _modseq(session: Session, message: Message) -> list[Piece]:
    return [b"MODSEQ (%d)" % message.modseq]


def _internaldate(session: Session, message: Message) -> list[Piece]:
    return [b'INTERNALDATE "%b"' % format_internaldate(message.internaldate)]


def _size(session: Session, message: Message) -> list[Piece]:
    return [b"RFC822.SIZE %d" % message.size]


def _envelope(session: Session, message: Message) -> list[Piece]:
    return [b"ENVELOPE " + envelope(mime.parse(message.content).header, utf8=session.utf8)]


def _body(session: Session, message: Message) -> list[Piece]:
    return [b"BODY " + body(mime.parse(message.content), extended=False, utf8=session.utf8)]


def _bodystructure(session: Session, message: Message) -> list[Piece]:
    part = mime.parse(message.content)
    return [b"BODYSTRUCTURE " + body(part, extended=True, utf8=session.utf8)]


def _emailid(session: Session, message: Message) -> list[Piece]:
    return [b"EMAILID (%b)" % identities.emailid(message).encode()]


def _threadid(session: Session, message: Message) -> list[Piece]:
    return [b"THREADID (%b)" % identities.threadid(message).encode()]


def _gmail_message(session: Session, message: Message) -> list[Piece]:
    return [b"X-GM-MSGID %d" % identities.gmail_message(message)]


def _gmail_thread(session: Session, message: Message) -> list[Piece]:
    return [b"X-GM-THRID %d" % identities.gmail_thread(message)]


def label_list(session: Session, message: Message) -> bytes:
    """Format the labels of a message, except the selected mailbox's."""
    account, selected = session.user(), session.selected().mailbox
    assert isinstance(account, GmailAccount)
    boxes = (box for box in account.labels(message.identity) if box is not selected)
    labels = sorted(box.label for box in boxes)
    return parens(
        label.encode() if label.startswith("\\") else mailbox(label, utf8=session.utf8)
        for label in labels
    )


def _gmail_labels(session: Session, message: Message) -> list[Piece]:
    return [b"X-GM-LABELS " + label_list(session, message)]


ITEMS: Final[dict[str, Item]] = {
    "UID": _uid,
    "FLAGS": _flags,
    "MODSEQ": _modseq,
    "INTERNALDATE": _internaldate,
    "RFC822.SIZE": _size,
    "ENVELOPE": _envelope,
    "BODY": _body,
    "BODYSTRUCTURE": _bodystructure,
    "EMAILID": _emailid,
    "THREADID": _threadid,
    "X-GM-MSGID": _gmail_message,
    "X-GM-THRID": _gmail_thread,
    "X-GM-LABELS": _gmail_labels,
}
"""The items without brackets."""
REQUIRES: Final[dict[str, tuple[str, ...]]] = {
    "MODSEQ": ("CONDSTORE", "QRESYNC"),
    "EMAILID": ("OBJECTID",),
    "THREADID": ("OBJECTID",),
    "X-GM-MSGID": ("X-GM-EXT-1",),
    "X-GM-THRID": ("X-GM-EXT-1",),
    "X-GM-LABELS": ("X-GM-EXT-1",),
}
"""For each item, the capabilities of which the server must have one."""
