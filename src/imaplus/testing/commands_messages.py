"""STORE, COPY, MOVE, EXPUNGE and IDLE: RFC 9051, 6.3.13 and 6.4, with CONDSTORE (RFC 7162)."""

from __future__ import annotations

import asyncio

from imaplus.records import record
from imaplus.testing import commands_gmail
from imaplus.testing.commands_select import append_code, require_mailbox
from imaplus.testing.message_limit import make_ok, require_within_limit, take_limited
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import LOGGED_IN, SELECTED, Bad, No, Ok, State, command
from imaplus.testing.session import Session, end
from imaplus.testing.store import Mailbox, Message, canonical_flag
from imaplus.testing.view import Numbered, View
from imaplus.wire.cursor import Cursor
from imaplus.wire.sets import SequenceSet


@record
class Change:
    """The change of flags that a STORE requests."""

    sign: str
    flags: frozenset[str]
    silent: bool
    unchanged_since: int | None

    def apply_to(self, flags: frozenset[str]) -> frozenset[str]:
        """Return the new flags of a message that has `flags`."""
        if self.sign == "+":
            return flags | self.flags
        return flags - self.flags if self.sign == "-" else self.flags


@command("STORE", states=SELECTED, hides_expunges=True)
async def store(session: Session, c: Cursor) -> Ok:
    return await _store(session, c, by_uid=False)


@command("UID STORE", states=SELECTED)
async def uid_store(session: Session, c: Cursor) -> Ok:
    return await _store(session, c, by_uid=True)


async def _store(session: Session, c: Cursor, *, by_uid: bool) -> Ok:
    c.expect(b" ")
    numbers = session.sequence_set(c)
    c.expect(b" ")
    unchanged_since = _unchanged_since(session, c)
    sign = "+" if c.accept(b"+") else "-" if c.accept(b"-") else ""
    name, _, silent = c.keyword().partition(".")
    if silent not in ("", "SILENT"):
        raise Bad("STORE takes only .SILENT after the name of the item")
    view = _writable(session)
    found, complete = session.messages(numbers, by_uid=by_uid)
    if name == "X-GM-LABELS" and session.can("X-GM-EXT-1"):
        return commands_gmail.store_labels(session, c, found, sign, not silent, by_uid=by_uid)
    if name != "FLAGS":
        raise Bad("STORE takes FLAGS")
    change = Change(sign, _flags(c), bool(silent), unchanged_since)
    partly = take_limited(session, found)
    modified = []
    for seq, message in found:
        before = message.modseq
        if change.unchanged_since is not None and before > change.unchanged_since:
            modified.append(message.uid if by_uid else seq)
            continue
        view.mailbox.set_flags(message.uid, change.apply_to(message.flags), origin=view)
        changed = session.condstore and message.modseq != before
        if not change.silent:
            session.out.say(session.flags_response(seq, message, uid=by_uid))
        elif changed or change.unchanged_since is not None:
            session.out.say(_modseq_response(session, seq, message, uid=by_uid))
    code = f"MODIFIED {SequenceSet.of(modified)}" if modified else ""
    if not complete and not by_uid:
        raise No("Some of the messages no longer exist", code or "EXPUNGEISSUED")
    return make_ok(session, partly, code)


def _modseq_response(session: Session, seq: int, message: Message, *, uid: bool) -> bytes:
    shown = b"UID %d " % message.uid if uid or session.qresync else b""
    return b"%d FETCH (%bMODSEQ (%d))" % (seq, shown, message.modseq)


def _unchanged_since(session: Session, c: Cursor) -> int | None:
    """Read the UNCHANGEDSINCE modifier of STORE (RFC 7162, 3.1.3)."""
    unchanged_since = None
    if c.peek() == b"(":
        for _ in c.items():
            if c.keyword() != "UNCHANGEDSINCE" or not session.can("CONDSTORE", "QRESYNC"):
                raise Bad("Unknown modifier of STORE")
            c.expect(b" ")
            unchanged_since = c.number()
            session.enabled.add("CONDSTORE")
        c.expect(b" ")
    return unchanged_since


def _flags(c: Cursor) -> frozenset[str]:
    c.expect(b" ")
    if c.peek() == b"(":
        flags = c.flag_list()
    else:
        flags = frozenset(c.rest().decode("utf-8", "replace").split())
    end(c)
    if "\\Recent" in flags:
        raise Bad("\\Recent cannot be set by clients")
    return frozenset(map(canonical_flag, flags))


def _writable(session: Session) -> View:
    view = session.selected()
    if view.read_only:
        raise No("Mailbox is read-only", "" if session.can("IMAP4") else "READ-ONLY")
    return view


@command("COPY", states=SELECTED)
async def copy(session: Session, c: Cursor) -> Ok:
    return _copy(session, c, by_uid=False)


@command("UID COPY", states=SELECTED)
async def uid_copy(session: Session, c: Cursor) -> Ok:
    return _copy(session, c, by_uid=True)


def _copy(session: Session, c: Cursor, *, by_uid: bool) -> Ok:
    found, target = _source_and_target(session, c, by_uid=by_uid)
    require_within_limit(session, found)
    return Ok(_copy_messages(session, found, target))


def _source_and_target(
    session: Session, c: Cursor, *, by_uid: bool
) -> tuple[list[Numbered], Mailbox]:
    c.expect(b" ")
    numbers = session.sequence_set(c)
    c.expect(b" ")
    name = c.mailbox()
    end(c)
    target = require_mailbox(session, name, code="TRYCREATE")
    found, complete = session.messages(numbers, by_uid=by_uid)
    if not complete and not by_uid:
        raise No("Some of the messages no longer exist", "EXPUNGEISSUED")
    return found, target


def _copy_messages(session: Session, found: list[Numbered], target: Mailbox) -> str:
    """Copy all messages or none, and return the COPYUID code."""
    if not found:
        return ""
    view = session.selected()
    copies = [view.mailbox.copy_to(message.uid, target) for _, message in found]
    if not session.tells_uids:
        return ""
    if session.has(Quirk.EMPTY_COPYUID):
        return f"COPYUID {target.uidvalidity}  "
    sources = SequenceSet.of(message.uid for _, message in found)
    return append_code("COPYUID", target, sources, SequenceSet.of(copies))


@command("MOVE", states=SELECTED, requires=("MOVE", "IMAP4rev2"))
async def move(session: Session, c: Cursor) -> Ok:
    return _move(session, c, by_uid=False)


@command("UID MOVE", states=SELECTED, requires=("MOVE", "IMAP4rev2"))
async def uid_move(session: Session, c: Cursor) -> Ok:
    return _move(session, c, by_uid=True)


def _move(session: Session, c: Cursor, *, by_uid: bool) -> Ok:
    """RFC 6851: send COPYUID in an untagged OK before the EXPUNGE responses."""
    view = _writable(session)
    found, target = _source_and_target(session, c, by_uid=by_uid)
    partly = take_limited(session, found)
    if code := _copy_messages(session, found, target):
        session.out.say(f"OK [{code}] Moved".encode())
    view.mailbox.expunge([message.uid for _, message in found])
    return make_ok(session, partly)


@command("EXPUNGE", states=SELECTED)
async def expunge(session: Session, c: Cursor) -> Ok:
    end(c)
    view = _writable(session)
    found, _ = session.messages(SequenceSet.of("1:*"), by_uid=True)
    return Ok(_expunge(session, view, found))


@command("UID EXPUNGE", states=SELECTED, requires=("UIDPLUS", "IMAP4rev2"))
async def uid_expunge(session: Session, c: Cursor) -> Ok:
    c.expect(b" ")
    numbers = session.sequence_set(c)
    end(c)
    view = _writable(session)
    found, _ = session.messages(view.saved if numbers is None else numbers, by_uid=True)
    partly = take_limited(session, found)
    return make_ok(session, partly, _expunge(session, view, found))


def _expunge(session: Session, view: View, found: list[Numbered]) -> str:
    """Expunge the deleted messages and return the HIGHESTMODSEQ code (RFC 7162, 3.2.7)."""
    deleted = [message.uid for _, message in found if "\\Deleted" in message.flags]
    gone = view.mailbox.expunge(deleted)
    return f"HIGHESTMODSEQ {view.mailbox.highestmodseq}" if gone and session.qresync else ""


@command("IDLE", states=LOGGED_IN, requires=("IDLE", "IMAP4rev2"))
async def idle(session: Session, c: Cursor) -> None:
    """RFC 2177: report changes immediately, until DONE."""
    end(c)
    await session.out.continuation(b"idling")
    line = asyncio.ensure_future(session.incoming.line())
    try:
        while not line.done():
            session.changed.clear()
            session.report_changes(expunges=True)
            await session.out.flush()
            if session.state is State.LOGOUT:  # the mailbox was deleted and BYE was sent
                session.tag = b""
                return
            wake = asyncio.ensure_future(session.changed.wait())
            await asyncio.wait({line, wake}, return_when=asyncio.FIRST_COMPLETED)
            wake.cancel()
    finally:
        line.cancel()
    done = line.result()
    if done is None:
        raise ConnectionResetError
    if done.upper() != b"DONE":
        raise Bad("Expected DONE")
