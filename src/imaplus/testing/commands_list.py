"""LIST, LSUB and XLIST: RFC 9051, 6.3.9, with RFC 5258, 5819 and 6154 where they are offered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from imaplus.records import field, record
from imaplus.testing.commands_mailboxes import say_status, status_request
from imaplus.testing.mishaps import HiddenMailboxes
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import LOGGED_IN, Bad, command
from imaplus.testing.replies import mailbox, parens, string
from imaplus.testing.session import Session, end
from imaplus.wire import mailbox_names
from imaplus.wire.cursor import Cursor

_PATTERN: Final = re.compile(rb'[^\x00-\x20(){"\\\x7f]+')


@record(frozen=False)
class Request:
    """The arguments of a LIST."""

    reference: str = ""
    patterns: list[str] = field(default_factory=list)
    selecting: set[str] = field(default_factory=set)
    returning: set[str] = field(default_factory=set)
    status: list[str] = field(default_factory=list)
    extended: bool = False


@command("LIST", states=LOGGED_IN)
async def list_(session: Session, c: Cursor) -> None:
    request = _parse(session, c)
    if request.patterns == [""] and not request.extended:
        session.out.say(b'LIST (\\Noselect) %b ""' % string(session.user().delimiter.encode()))
        return
    if request.extended and session.has(Quirk.LIST_RETURN_IS_EMPTY):
        return
    for name, attributes, info in _find_mailboxes(session, request):
        _say(session, b"LIST", name, attributes, info)
        box = session.user().find(name)
        if request.status and box is not None and box.selectable:
            say_status(session, box, request.status)


def _parse(session: Session, c: Cursor) -> Request:
    request = Request()
    c.expect(b" ")
    if c.peek() == b"(":
        request.extended = True
        request.selecting = {c.keyword() for _ in c.items()}
        c.expect(b" ")
    request.reference = c.decode_mailbox(c.astring())
    c.expect(b" ")
    if c.peek() == b"(":
        request.extended = True
        request.patterns = [_pattern(c) for _ in c.items()]
    else:
        request.patterns = [_pattern(c)]
    if c.accept(b" ") and c.peek():
        request.extended = True
        if c.keyword() != "RETURN":
            raise Bad("LIST takes RETURN here")
        c.expect(b" ")
        for _ in c.items():
            option = c.keyword()
            request.returning.add(option)
            if option == "STATUS":
                c.expect(b" ")
                request.status = status_request(session, c)
    end(c)
    _check(session, request)
    return request


def _pattern(c: Cursor) -> str:
    """Read a list-mailbox: an atom that may contain wildcards, or a string."""
    if (match := c.accept_match(_PATTERN)) is not None:
        return c.decode_mailbox(match[0])
    return c.decode_mailbox(c.string())


def _check(session: Session, request: Request) -> None:
    known = {"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH"}, {"SUBSCRIBED", "CHILDREN"}
    offered = session.can("LIST-EXTENDED", "IMAP4rev2")
    if session.can("SPECIAL-USE"):
        known[0].add("SPECIAL-USE")
        known[1].add("SPECIAL-USE")
    if session.can("LIST-STATUS", "IMAP4rev2"):
        known[1].add("STATUS")
    if request.extended and (not offered or session.has(Quirk.NO_LIST_EXTENDED)):
        raise Bad("LIST takes two arguments")
    if not (request.selecting <= known[0] and request.returning <= known[1]):
        raise Bad("Unknown option of LIST")
    if "RECURSIVEMATCH" in request.selecting and request.selecting <= {"RECURSIVEMATCH", "REMOTE"}:
        raise Bad("RECURSIVEMATCH needs something to match")


def _matcher(session: Session, reference: str, patterns: list[str]) -> re.Pattern[str]:
    """Compile the patterns of LIST into one.

    `*` matches anything, `%` anything but the delimiter; INBOX matches in any case.
    """
    delimiter = re.escape(session.user().delimiter)
    alternatives = []
    for pattern in patterns:
        whole = mailbox_names.normalise(reference + pattern)
        prefix, rest = ("(?i:INBOX)", whole[5:]) if whole[:5].upper() == "INBOX" else ("", whole)
        parts = re.split(r"([*%]+)", rest)  # join runs of wildcards: matching is faster
        wild = {True: ".*", False: f"[^{delimiter}]*"}
        translated = (wild["*" in x] if i % 2 else re.escape(x) for i, x in enumerate(parts))
        alternatives.append(prefix + "".join(translated))
    return re.compile("|".join(f"(?:{each})" for each in alternatives), re.DOTALL)


def _find_mailboxes(session: Session, request: Request) -> Iterator[tuple[str, set[str], bytes]]:
    """Yield the names that match, their attributes, and extended data."""
    account = session.user()
    subscribed_only = "SUBSCRIBED" in request.selecting
    recursive = "RECURSIVEMATCH" in request.selecting
    tell_subscribed = subscribed_only or "SUBSCRIBED" in request.returning
    names = set(account.mailboxes) | (account.subscriptions if subscribed_only else set())
    matcher = _matcher(session, request.reference, request.patterns)
    hidden = session.find_mishap(HiddenMailboxes)
    for name in sorted(names, key=lambda name: (name != "INBOX", name)):
        if not matcher.fullmatch(name) or (hidden and hidden.hides(name)):
            continue
        attributes = _attributes(session, name, request)
        below = name + account.delimiter
        info = b""
        if subscribed_only:
            child = any(each.startswith(below) for each in account.subscriptions)
            if recursive and child:
                info = b' ("CHILDINFO" ("SUBSCRIBED"))'
            elif name not in account.subscriptions:
                continue
        uses = account.mailboxes[name].attributes if name in account.mailboxes else frozenset()
        if "SPECIAL-USE" in request.selecting and not uses:
            continue
        if tell_subscribed and name in account.subscriptions:
            attributes.add("\\Subscribed")
        yield name, attributes, info


def _attributes(session: Session, name: str, request: Request) -> set[str]:
    account = session.user()
    box = account.mailboxes.get(name)
    attributes: set[str] = set()
    if box is None:
        attributes.add("\\NonExistent")
    elif not box.selectable:
        attributes.add("\\Noselect")
    if session.can("CHILDREN", "IMAP4rev2") or "CHILDREN" in request.returning:
        attributes.add("\\HasChildren" if account.children(name) else "\\HasNoChildren")
    if box is not None and session.can("SPECIAL-USE", "IMAP4rev2"):
        attributes |= box.attributes
    return attributes


def _say(session: Session, word: bytes, name: str, attributes: set[str], info: bytes) -> None:
    if session.has(Quirk.UNQUOTED_LIST):
        shown = mailbox_names.encode(name)
    else:
        shown = mailbox(name, utf8=session.utf8)
    listed = parens(each.encode() for each in sorted(attributes))
    delimiter = string(session.user().delimiter.encode())
    session.out.say(b"%b %b %b %b%b" % (word, listed, delimiter, shown, info))


@command("LSUB", states=LOGGED_IN)
async def lsub(session: Session, c: Cursor) -> None:
    """RFC 3501, 6.3.9: `%` also lists the parents of subscribed names."""
    if session.has(Quirk.NO_LSUB):
        raise Bad("Unknown command")
    c.expect(b" ")
    reference = c.decode_mailbox(c.astring())
    c.expect(b" ")
    pattern = _pattern(c)
    end(c)
    account = session.user()
    matcher = _matcher(session, reference, [pattern])
    above: set[str] = set()
    hidden = session.find_mishap(HiddenMailboxes)
    for name in sorted(account.subscriptions):
        if hidden and hidden.hides(name):
            continue
        if matcher.fullmatch(name):
            _say(session, b"LSUB", name, set(), b"")
            continue
        parts = name.split(account.delimiter)
        above |= {account.delimiter.join(parts[:n]) for n in range(1, len(parts))}
    if pattern.endswith("%"):
        for name in sorted(above - account.subscriptions):
            if matcher.fullmatch(name):
                _say(session, b"LSUB", name, {"\\Noselect"}, b"")


@command("XLIST", states=LOGGED_IN, requires=("XLIST",))
async def xlist(session: Session, c: Cursor) -> None:
    """XLIST, Gmail's predecessor of RFC 6154: LIST with special uses and `\\Inbox`."""
    request = _parse(session, c)
    for name, attributes, _ in _find_mailboxes(session, request):
        box = session.user().mailboxes[name]
        inbox = {"\\Inbox"} if name == "INBOX" else set()
        _say(session, b"XLIST", name, attributes | box.attributes | inbox, b"")
