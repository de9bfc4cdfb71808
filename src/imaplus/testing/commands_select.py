"""SELECT, EXAMINE, CLOSE, UNSELECT and CHECK: RFC 9051, 6.3.2, 6.4.1, 6.4.2; QRESYNC: RFC 7162."""

from __future__ import annotations

from typing import Final

from imaplus.records import record
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import LOGGED_IN, SELECTED, Bad, No, Ok, State, command
from imaplus.testing.replies import flag_list, mailbox, parens, string
from imaplus.testing.session import Session, end
from imaplus.testing.store import SYSTEM_FLAGS, Mailbox
from imaplus.testing.view import View
from imaplus.wire.cursor import Cursor
from imaplus.wire.set_reading import read_sequence_set
from imaplus.wire.sets import SequenceSet

KEYWORDS_FROM: Final = 1000
"""FLAGS lists the keywords of this many of the latest messages, so that SELECT stays fast."""


@record
class Resync:
    """The QRESYNC parameter of SELECT: the state that the client has cached (RFC 7162, 3.2.5)."""

    uidvalidity: int
    modseq: int
    known: SequenceSet | None


def require_mailbox(session: Session, name: str, *, code: str = "NONEXISTENT") -> Mailbox:
    """Return the user's mailbox of this name. Raises No if it cannot be selected."""
    found = session.user().find(name)
    if found is None or not found.selectable:
        raise No(f"Mailbox does not exist: {name!a}", code)
    return found


@command("SELECT", states=LOGGED_IN)
async def select(session: Session, c: Cursor) -> Ok:
    return _open(session, c, read_only=False)


@command("EXAMINE", states=LOGGED_IN)
async def examine(session: Session, c: Cursor) -> Ok:
    return _open(session, c, read_only=True)


def _open(session: Session, c: Cursor, *, read_only: bool) -> Ok:
    c.expect(b" ")
    name = c.mailbox()
    resync = None
    if c.accept(b" ") and c.peek():
        resync = _parameters(session, c)
    end(c)
    if session.has(Quirk.ID_BEFORE_SELECT) and not session.identified:
        raise No("SELECT Unsafe Login. Please contact kefu@example.com for help")
    if session.view is not None:
        session.leave_mailbox()
        if session.rev2 or session.qresync or session.has(Quirk.SAYS_CLOSED):
            session.out.say(b"OK [CLOSED] Previous mailbox is closed")
    box = require_mailbox(session, name)
    if session.has(Quirk.UIDNOTSTICKY) and not box.watchers:
        box.recreate()
    session.view = View(box, read_only=read_only, wake=session.wake)
    session.state = State.SELECTED
    _describe(session, session.view)
    if resync is not None and resync.uidvalidity == box.uidvalidity:
        _catch_up(session, session.view, resync)
    return Ok("READ-ONLY" if read_only else "READ-WRITE")


def _parameters(session: Session, c: Cursor) -> Resync | None:
    resync = None
    for _ in c.items():
        name = c.keyword()
        if name == "CONDSTORE" and session.can("CONDSTORE", "QRESYNC"):
            session.enabled.add("CONDSTORE")
        elif name == "QRESYNC" and session.can("QRESYNC"):
            if not session.qresync:
                raise Bad("QRESYNC was not enabled")
            c.expect(b" ")
            resync = _resync(c)
        else:
            raise Bad(f"Unknown parameter {name!a}")
    return resync


def _resync(c: Cursor) -> Resync:
    c.expect(b"(")
    uidvalidity = c.number()
    c.expect(b" ")
    modseq = c.number()
    known = None
    if c.accept_sp() and c.peek() != b"(":
        known = read_sequence_set(c)
        c.accept_sp()
    if c.accept(b"("):
        seqs = read_sequence_set(c)
        c.expect(b" ")
        uids = read_sequence_set(c)
        c.expect(b")")
        if seqs.open_ended or uids.open_ended or len(seqs) != len(uids):
            raise Bad("QRESYNC's sequence numbers and UIDs do not match")
        # Not needed here: every expunge is remembered (RFC 7162, 3.2.5.2).
    c.expect(b")")
    if not uidvalidity or not modseq:
        raise Bad("QRESYNC takes numbers above 0")
    return Resync(uidvalidity, modseq, known)


def _describe(session: Session, view: View) -> None:
    box = view.mailbox
    keywords: set[str] = set()
    for uid in view.uids[-KEYWORDS_FROM:]:
        keywords |= box.messages[uid].flags
    flags = keywords | set(SYSTEM_FLAGS)
    session.out.say(b"%d EXISTS" % len(view.uids))
    session.out.say(b"FLAGS " + flag_list(flags))
    permanent = flag_list(() if view.read_only else flags | {"\\*"})
    if session.can("IMAP4"):
        session.out.say(b"%d RECENT" % view.recent)
        return
    session.out.say(b"OK [PERMANENTFLAGS %b] Flags that are kept" % permanent)
    if not session.rev2:
        session.out.say(b"%d RECENT" % view.recent)
        messages = enumerate(view.uids, 1)
        unseen = (seq for seq, uid in messages if "\\Seen" not in box.messages[uid].flags)
        if first := next(unseen, 0):
            session.out.say(b"OK [UNSEEN %d] First unseen message" % first)
    if session.has(Quirk.UIDNOTSTICKY):
        session.out.say(b"NO [UIDNOTSTICKY] UIDs do not persist")
    if not session.has(Quirk.NO_UIDVALIDITY):
        session.out.say(b"OK [UIDVALIDITY %d] UIDs are valid" % box.uidvalidity)
    session.out.say(b"OK [UIDNEXT %d] Predicted next UID" % box.uidnext)
    if session.can("OBJECTID"):
        session.out.say(f"OK [MAILBOXID ({box.mailboxid})] Its name for good".encode())
    if session.can("CONDSTORE", "QRESYNC"):
        session.out.say(b"OK [HIGHESTMODSEQ %d] Highest" % box.highestmodseq)
    if session.rev2:
        delimiter = string(session.user().delimiter.encode())
        session.out.say(b"LIST () %b %b" % (delimiter, mailbox(box.name, utf8=session.utf8)))


def _catch_up(session: Session, view: View, resync: Resync) -> None:
    """Report what was expunged, then what was changed, since the client's mod-sequence."""
    box = view.mailbox
    known = resync.known or SequenceSet.of("1:*")
    known = known.resolve(max(box.uidnext - 1, 1))
    if gone := find_vanished(box, since=resync.modseq, known=known):
        session.out.say(b"VANISHED (EARLIER) " + bytes(gone))
    for seq, uid in enumerate(view.uids, 1):
        message = box.messages[uid]
        if message.modseq > resync.modseq and uid in known:
            session.out.say(session.flags_response(seq, message, uid=True))


def find_vanished(box: Mailbox, *, since: int, known: SequenceSet) -> SequenceSet:
    """Return the UIDs of a set that were expunged after a mod-sequence."""
    gone = (uid for modseq, uid in box.expunged if modseq > since and uid in known)
    return SequenceSet.of(gone)


@command("CLOSE", states=SELECTED)
async def close(session: Session, c: Cursor) -> Ok:
    """Expunge without responses and close the mailbox (RFC 9051, 6.4.1)."""
    end(c)
    view = session.selected()
    code = ""
    if not view.read_only:
        deleted = [m.uid for m in view.mailbox.messages.values() if "\\Deleted" in m.flags]
        if view.mailbox.expunge(deleted) and session.qresync:
            code = f"HIGHESTMODSEQ {view.mailbox.highestmodseq}"
    session.leave_mailbox()
    return Ok(code)


@command("UNSELECT", states=SELECTED, requires=("UNSELECT", "IMAP4rev2"))
async def unselect(session: Session, c: Cursor) -> None:
    end(c)
    session.leave_mailbox()


@command("CHECK", states=SELECTED)
async def check(session: Session, c: Cursor) -> None:
    end(c)


def append_code(name: str, box: Mailbox, *uids: SequenceSet) -> str:
    """Format the response code APPENDUID or COPYUID (RFC 9051, 7.1)."""
    return " ".join([name, str(box.uidvalidity), *map(str, uids)])


def status_items(items: list[tuple[str, int | str]]) -> bytes:
    """Format the list of a STATUS response."""
    return parens(f"{name} {value}".encode() for name, value in items)
