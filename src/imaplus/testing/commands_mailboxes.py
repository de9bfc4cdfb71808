"""CREATE, DELETE, RENAME, SUBSCRIBE, STATUS and NAMESPACE (RFC 9051, 6.3)."""

from __future__ import annotations

from typing import Final

from imaplus.testing.commands_select import require_mailbox, status_items
from imaplus.testing.mishaps import OtherStatus
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import LOGGED_IN, Bad, No, Ok, command
from imaplus.testing.replies import mailbox, parens, string
from imaplus.testing.session import Session, end
from imaplus.testing.store import Mailbox
from imaplus.wire.cursor import Cursor

SPECIAL_USES: Final = {
    name.lower(): name
    for name in "\\All \\Archive \\Drafts \\Flagged \\Junk \\Sent \\Trash \\Important".split()
}
DEEPEST: Final = 64
"""Maximum number of hierarchy levels."""
LONGEST_NAME: Final = 1000
"""Maximum number of characters in a mailbox name."""


@command("CREATE", states=LOGGED_IN)
async def create(session: Session, c: Cursor) -> Ok:
    """RFC 9051, 6.3.4; USE: RFC 6154, 3; MAILBOXID: RFC 8474, 4.1."""
    c.expect(b" ")
    name = c.mailbox()
    uses = _uses(session, c) if c.accept(b" ") and c.peek() else []
    end(c)
    account = session.user()
    _require_valid_name(name, account.delimiter)
    name = name.removesuffix(account.delimiter)
    found = account.find(name)
    if found is not None and found.selectable:
        raise No("Mailbox exists already", "ALREADYEXISTS")
    box = account.create(name, *uses)
    return Ok(f"MAILBOXID ({box.mailboxid})" if session.can("OBJECTID") else "")


def _uses(session: Session, c: Cursor) -> list[str]:
    if not session.can("CREATE-SPECIAL-USE"):
        raise Bad("CREATE takes one argument")
    uses: list[str] = []
    for _ in c.items():
        if c.keyword() != "USE":
            raise Bad("Unknown parameter of CREATE")
        c.expect(b" ")
        for flag in c.flag_list():
            if flag.lower() not in SPECIAL_USES:
                raise No(f"Unknown special use {flag!a}", "USEATTR")
            uses.append(SPECIAL_USES[flag.lower()])
    return uses


def _require_valid_name(name: str, delimiter: str) -> None:
    parts = name.removesuffix(delimiter).split(delimiter)
    if not all(parts) or len(parts) > DEEPEST or len(name) > LONGEST_NAME:
        raise No("Not a name for a mailbox", "CANNOT")
    if any(char in name for char in "*%\r\n\0"):
        raise No("Wildcards and line breaks are not allowed in names", "CANNOT")


@command("DELETE", states=LOGGED_IN)
async def delete(session: Session, c: Cursor) -> None:
    c.expect(b" ")
    name = c.mailbox()
    end(c)
    account = session.user()
    if name == "INBOX":
        raise No("INBOX stays", "CANNOT")
    box = account.find(name)
    if box is None:
        raise No("Mailbox does not exist", "NONEXISTENT")
    if not box.selectable and account.children(name):
        raise No("Name has inferior hierarchical names", "HASCHILDREN")
    if session.view is not None and session.view.mailbox is box:
        session.leave_mailbox()
    account.delete(name)


@command("RENAME", states=LOGGED_IN)
async def rename(session: Session, c: Cursor) -> None:
    c.expect(b" ")
    old = c.mailbox()
    c.expect(b" ")
    new = c.mailbox()
    end(c)
    account = session.user()
    _require_valid_name(new, account.delimiter)
    if account.find(old) is None:
        raise No("Mailbox does not exist", "NONEXISTENT")
    if account.find(new) is not None:
        raise No("Mailbox exists already", "ALREADYEXISTS")
    if new.startswith(old + account.delimiter) and old != "INBOX":
        raise No("A mailbox cannot be its own inferior", "CANNOT")
    account.rename(old, new)


@command("SUBSCRIBE", states=LOGGED_IN)
async def subscribe(session: Session, c: Cursor) -> None:
    c.expect(b" ")
    name = c.mailbox()
    end(c)
    if session.user().find(name) is None:
        raise No("Mailbox does not exist", "NONEXISTENT")
    session.user().subscriptions.add(name)


@command("UNSUBSCRIBE", states=LOGGED_IN)
async def unsubscribe(session: Session, c: Cursor) -> None:
    c.expect(b" ")
    name = c.mailbox()
    end(c)
    session.user().subscriptions.discard(name)


@command("NAMESPACE", states=LOGGED_IN, requires=("NAMESPACE", "IMAP4rev2"))
async def namespace(session: Session, c: Cursor) -> None:
    """RFC 9051, 6.3.10."""
    end(c)
    if session.has(Quirk.NAMESPACE_DROPS):
        raise ConnectionResetError
    prefix = session.personality.prefix.encode()
    personal = parens([string(prefix), string(session.user().delimiter.encode())])
    session.out.say(b"NAMESPACE (%b) NIL NIL" % personal)


@command("STATUS", states=LOGGED_IN)
async def status(session: Session, c: Cursor) -> None:
    c.expect(b" ")
    name = c.mailbox()
    c.expect(b" ")
    items = status_request(session, c)
    end(c)
    say_status(session, require_mailbox(session, name), items)


def status_request(session: Session, c: Cursor) -> list[str]:
    """Read a list of status items. Raises Bad for one that is unknown or not offered."""
    known = {"MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"}
    if not session.rev2:
        known.add("RECENT")
    if session.can("IMAP4rev2"):
        known.add("DELETED")
    if session.can("IMAP4rev2", "STATUS=SIZE"):
        known.add("SIZE")
    if session.can("CONDSTORE", "QRESYNC"):
        known.add("HIGHESTMODSEQ")
    if session.can("OBJECTID"):
        known.add("MAILBOXID")
    items = [c.keyword() for _ in c.items()]
    for item in items:
        if item not in known:
            raise Bad(f"Unknown status item {item!a}")
    if not items:
        raise Bad("STATUS takes at least one item")
    if "HIGHESTMODSEQ" in items:
        session.enabled.add("CONDSTORE")
    return items


def say_status(session: Session, box: Mailbox, items: list[str]) -> None:
    """Send one STATUS response."""
    numbers = {item: _count(box, item) for item in items}
    if session.has(Quirk.NO_UIDVALIDITY):
        numbers.pop("UIDVALIDITY", None)
    if other := session.find_mishap(OtherStatus, box.name):
        numbers |= {name: value for name, value in other.numbers if name in numbers}
    values = status_items(list(numbers.items()))
    session.out.say(b"STATUS %b %b" % (mailbox(box.name, utf8=session.utf8), values))


def _count(box: Mailbox, item: str) -> int | str:
    messages = box.messages.values()
    match item:
        case "MESSAGES":
            return len(messages)
        case "UIDNEXT":
            return box.uidnext
        case "UIDVALIDITY":
            return box.uidvalidity
        case "UNSEEN":
            return sum("\\Seen" not in message.flags for message in messages)
        case "MAILBOXID":
            return f"({box.mailboxid})"
        case "RECENT":
            return sum(message.uid >= box.recent_from for message in messages)
        case "DELETED":
            return sum("\\Deleted" in message.flags for message in messages)
        case "SIZE":
            return sum(message.size for message in messages)
        case _:
            return box.highestmodseq
