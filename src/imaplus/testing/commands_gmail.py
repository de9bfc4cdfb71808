"""STORE and SEARCH of X-GM-EXT-1: changing labels, and finding messages as Gmail does.

Of Gmail's own search syntax (X-GM-RAW) it supports the operators `from: to: cc: bcc: subject:
label: in: is: rfc822msgid:`, `-` before a word, and quotes.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from imaplus.testing import identities, mime
from imaplus.testing.fetch_items import label_list
from imaplus.testing.gmail import GmailAccount, GmailMailbox
from imaplus.testing.registry import Bad, Ok
from imaplus.testing.session import Session, end
from imaplus.testing.store import Message
from imaplus.wire.cursor import Cursor

if TYPE_CHECKING:
    from imaplus.testing.view import Numbered

Test = Callable[[Message], bool]


def store_labels(
    session: Session, c: Cursor, found: list[Numbered], sign: str, respond: bool, *, by_uid: bool
) -> Ok:
    """Change labels: `STORE ... +X-GM-LABELS (...)`. Missing labels are created."""
    c.expect(b" ")
    labels = [_label(c) for _ in c.items()] if c.peek() == b"(" else [_label(c)]
    end(c)
    account = _account(session)
    boxes = [account.find_label(label) or _make(account, label) for label in labels]
    selected = session.selected().mailbox
    for seq, message in found:
        if sign != "-":
            for box in boxes:
                box._take(message)
        for box in account.labels(message.identity) if sign != "+" else ():
            # Gmail answers OK to removing the label of the selected mailbox, but keeps it.
            if box is not selected and (box in boxes) == (sign == "-"):
                box._expunge([box.by_identity[message.identity]])
        if respond:
            uid = b"UID %d " % message.uid if by_uid else b""
            session.out.say(
                b"%d FETCH (%bX-GM-LABELS %b)" % (seq, uid, label_list(session, message))
            )
    return Ok()


def _account(session: Session) -> GmailAccount:
    account = session.user()
    assert isinstance(account, GmailAccount)
    return account


def _label(c: Cursor) -> str:
    """Read a label of a command: `\\Inbox`, or an astring."""
    if c.accept(b"\\"):
        return "\\" + c.atom()
    return c.mailbox()


def _make(account: GmailAccount, label: str) -> GmailMailbox:
    if label.startswith("\\"):
        raise Bad(f"Unknown label {label!a}")
    account.create(label)
    box = account.find_label(label)
    assert box is not None
    return box


# -- SEARCH ----------------------------------------------------------------------------------------


def search_key(session: Session, name: str, c: Cursor, text: Callable[[], str]) -> Test:
    """Return the test for a key whose name begins with X-GM-. `text` reads the next string."""
    account = _account(session)
    match name:
        case "X-GM-MSGID" | "X-GM-THRID":
            c.expect(b" ")
            number = c.number()
            of = identities.gmail_message if name == "X-GM-MSGID" else identities.gmail_thread
            return lambda message: of(message) == number
        case "X-GM-LABELS":
            c.expect(b" ")
            return _has_label(account, _label(c))
        case "X-GM-RAW":
            return _raw(account, text())
    raise Bad(f"Unknown search key {name[:40]!a}")


def _has_label(account: GmailAccount, label: str) -> Test:
    box = account.find_label(label)
    return lambda message: box is not None and message.identity in box.by_identity


def _raw(account: GmailAccount, query: str) -> Test:
    try:
        words = shlex.split(query)
    except ValueError:
        raise Bad("Could not parse command") from None
    tests = [_word(account, word) for word in words]
    return lambda message: all(test(message) for test in tests)


def _word(account: GmailAccount, word: str) -> Test:
    if word.startswith("-"):
        test = _word(account, word[1:])
        return lambda message: not test(message)
    name, colon, value = word.partition(":")
    match name if colon else "":
        case "from" | "to" | "cc" | "bcc" | "subject":
            return lambda message: _in_header(message, name, value)
        case "rfc822msgid":
            return lambda message: _in_header(message, "message-id", value)
        case "label" | "in":
            return (lambda message: True) if value == "anywhere" else _has_label(account, value)
        case "is":
            flag, wanted = _STATES.get(value, ("", True))
            return lambda message: (flag in message.flags) == wanted
    return lambda message: word.casefold().encode() in message.data.lower()


_STATES = {
    "read": ("\\Seen", True),
    "unread": ("\\Seen", False),
    "starred": ("\\Flagged", True),
}


def _in_header(message: Message, name: str, value: str) -> bool:
    found = mime.field(mime.parse(message.content).header, name.encode()) or b""
    return value.casefold() in found.decode("utf-8", "replace").casefold()
