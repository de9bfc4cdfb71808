"""APPEND: RFC 9051, 6.3.12, with MULTIAPPEND (RFC 3502), BINARY (RFC 3516) and UTF8 (RFC 6855)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from imaplus.testing.commands_select import append_code, require_mailbox
from imaplus.testing.content import Content, InMemory, OnDisk, read
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import LOGGED_IN, Bad, No, Ok, command
from imaplus.testing.session import Session, end
from imaplus.wire.cursor import Cursor
from imaplus.wire.dates import parse_internaldate
from imaplus.wire.sets import SequenceSet


class New(NamedTuple):
    """One message to append."""

    content: Content
    flags: frozenset[str]
    date: datetime | None


@command("APPEND", states=LOGGED_IN)
async def append(session: Session, c: Cursor) -> Ok:
    """Append all messages, or none of them."""
    c.expect(b" ")
    name = c.mailbox()
    new = []
    while c.accept_sp():
        new.append(_message(session, c))
    end(c)
    if not new or (len(new) > 1 and not session.can("MULTIAPPEND")):
        raise Bad("APPEND takes one message")
    box = require_mailbox(session, name, code="TRYCREATE")
    for each in new:
        _require_acceptable(session, each.content)
    selected = session.view is not None and session.view.mailbox is box
    uids = [box.add(each.content, each.flags, each.date) for each in new]
    if selected and session.has(Quirk.NO_EXISTS_AFTER_APPEND):
        session.news_held = True
    if not session.tells_uids:
        return Ok()
    return Ok(append_code("APPENDUID", box, SequenceSet.of(uids)))


def _message(session: Session, c: Cursor) -> New:
    flags: frozenset[str] = frozenset()
    date = None
    if c.peek() == b"(":
        flags = c.flag_list() - {"\\Recent"}
        c.expect(b" ")
    if c.peek() == b'"':
        date = parse_internaldate(c.string())
        if date is None:
            raise Bad("Not a date")
        c.expect(b" ")
    if c.accept_word(b"UTF8"):
        if "UTF8=ACCEPT" not in session.enabled:
            raise Bad("UTF8=ACCEPT was not enabled")
        c.expect(b" ")
        c.expect(b"(")
        content = _literal(session, c)
        c.expect(b")")
    else:
        content = _literal(session, c)
    return New(content, flags, date)


def _literal(session: Session, c: Cursor) -> Content:
    binary = c.peek() == b"~"
    if binary and not session.can("BINARY", "IMAP4rev2", "UTF8=ACCEPT"):
        raise Bad("literal8 is not supported")
    if c.peek() not in (b"~", b"{"):
        raise Bad("A message travels in a literal")
    value = c.payload()
    if isinstance(value, OnDisk):
        return value
    if not isinstance(value, bytes):  # the disk is full
        raise No("The message could not be stored", "SERVERBUG")
    if not binary and b"\0" in value and session.has(Quirk.NO_NUL):
        raise No("Message contains NUL characters")
    return InMemory(value)


def _require_acceptable(session: Session, content: Content) -> None:
    if content.size > session.personality.largest_message:
        raise No("Message is too large", "TOOBIG")
    end_of_it = read(content, max(0, content.size - 2))
    if session.has(Quirk.FINAL_CRLF) and not end_of_it.endswith(b"\r\n"):
        raise Bad("Additional arguments found after last expected argument", "CLIENTBUG")
