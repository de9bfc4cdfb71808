"""SEARCH and UID SEARCH: RFC 9051, 6.4.4, with ESEARCH (RFC 4731) and SEARCHRES (RFC 5182)."""

from __future__ import annotations

from typing import Final

from imaplus.testing.message_limit import make_ok, take_limited
from imaplus.testing.mishaps import ShortSearch
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import SELECTED, Bad, No, Ok, command
from imaplus.testing.replies import string
from imaplus.testing.search import Keys, charset_codec
from imaplus.testing.session import Session, end
from imaplus.testing.store import Message
from imaplus.wire.cursor import Cursor
from imaplus.wire.sets import SequenceSet

RETURNS: Final = frozenset({"MIN", "MAX", "ALL", "COUNT", "SAVE"})


@command("SEARCH", states=SELECTED, hides_expunges=True)
async def search(session: Session, c: Cursor) -> Ok:
    return _search(session, c, by_uid=False)


@command("UID SEARCH", states=SELECTED)
async def uid_search(session: Session, c: Cursor) -> Ok:
    return _search(session, c, by_uid=True)


def _search(session: Session, c: Cursor, *, by_uid: bool) -> Ok:
    c.expect(b" ")
    returning = _read_returning(session, c)
    codec = "utf-8" if session.utf8 else "ascii"
    if c.accept_word(b"CHARSET"):
        c.expect(b" ")
        codec = _charset(session, c.astring_text())
        c.expect(b" ")
    keys = Keys(session, c, codec)
    saves = returning is not None and "SAVE" in returning
    view = session.selected()
    try:
        test = keys.read()
        end(c)
    except No:
        if saves:
            view.saved = SequenceSet()
        raise
    messages = view.mailbox.messages
    found = [
        (seq, messages[uid])
        for seq, uid in enumerate(view.uids, 1)
        if uid in messages and test(seq, messages[uid])
    ]
    partly = take_limited(session, found)
    if short := session.find_mishap(ShortSearch, view.mailbox.name):
        del found[short.first :]
    if returning is not None and saves:
        view.saved = SequenceSet.of(m.uid for _, m in _choose_saved(found, returning))
    numbers = [message.uid if by_uid else seq for seq, message in found]
    modseq = max((m.modseq for _, m in found), default=0) if keys.modseq else 0
    if returning is None or (session.has(Quirk.PLAIN_SEARCH) and not session.rev2):
        words = b"".join(b" %d" % number for number in numbers)
        session.out.say(b"SEARCH" + words + (b" (MODSEQ %d)" % modseq if modseq else b""))
    elif returning != {"SAVE"}:
        session.out.say(_esearch(session, numbers, returning, modseq, by_uid=by_uid))
    return make_ok(session, partly)


def _read_returning(session: Session, c: Cursor) -> set[str] | None:
    """Read the result options; None if the answer is to be a SEARCH response."""
    if not (session.can("ESEARCH", "IMAP4rev2") and c.accept_word(b"RETURN")):
        return {"ALL"} if session.rev2 else None
    c.expect(b" ")
    options = {c.keyword() for _ in c.items()}
    c.expect(b" ")
    offered = RETURNS if session.can("SEARCHRES", "IMAP4rev2") else RETURNS - {"SAVE"}
    if not options <= offered:
        raise Bad("Unknown result option")
    return options or {"ALL"}


def _charset(session: Session, name: str) -> str:
    if session.utf8 and "UTF8=ACCEPT" in session.enabled:
        raise Bad("CHARSET is not allowed once UTF8=ACCEPT is enabled")  # RFC 9755, 3
    if session.has(Quirk.NO_SEARCH_CHARSET):
        raise No("The specified charset is not supported.", "BADCHARSET (US-ASCII)")
    return charset_codec(name)


def _choose_saved(
    found: list[tuple[int, Message]], returning: set[str]
) -> list[tuple[int, Message]]:
    """Choose the messages that `$` stands for: with only MIN or MAX, those (RFC 5182, 2.4)."""
    if not returning & {"MIN", "MAX"} or returning & {"ALL", "COUNT"}:
        return found
    return (found[:1] if "MIN" in returning else []) + (found[-1:] if "MAX" in returning else [])


def _esearch(
    session: Session, numbers: list[int], returning: set[str], modseq: int, *, by_uid: bool
) -> bytes:
    words = [b"ESEARCH (TAG %b)" % string(session.tag)]
    if by_uid:
        words.append(b"UID")
    if numbers:
        values = {"MIN": numbers[0], "MAX": numbers[-1], "ALL": SequenceSet.of(numbers)}
        words += [f"{name} {value}".encode() for name, value in values.items() if name in returning]
    if "COUNT" in returning:
        words.append(b"COUNT %d" % len(numbers))
    if modseq:
        words.append(b"MODSEQ %d" % modseq)
    return b" ".join(words)
