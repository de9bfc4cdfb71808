"""Which mailbox is for sent mail, drafts, trash and the like, on any server.

SPECIAL-USE (RFC 6154) tells it, or XLIST; where neither does, well-known names are looked for, in
the languages that providers and mail programs use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from imaplus.core.listing import SPECIAL_USES, List, ListEntry
from imaplus.errors import CommandError, InvalidArgument, Refused, Rejected
from imaplus.flows.listing import list_mailboxes, namespaces
from imaplus.flows.mailboxes import create
from imaplus.flows.well_known import GENERIC, WELL_KNOWN
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.wire.mailbox_names import normalise, same
from imaplus.wire.patterns import lazy_pattern

_WORDS: Final = lazy_pattern(r"[\s_]+")


def special_use_of(use: str) -> str:
    """A special use as RFC 6154 writes it, from any case.

    Raises:
        InvalidArgument: there is none of that name.
    """
    known = {each.lower(): each for each in SPECIAL_USES}
    found = known.get(str(use).lower())
    if found is None:
        raise InvalidArgument(
            f"expected one of {', '.join(sorted(SPECIAL_USES))}, found {use!r:.60}"
        )
    return found


def find(connection: Connection, use: str) -> Flow[ListEntry | None]:
    """The mailbox for a special use; None if there is none that one can tell by."""
    wanted = special_use_of(use)
    entries: Sequence[ListEntry] = yield from list_mailboxes(connection)
    if found := _best(each for each in entries if wanted in each.attributes):
        return found
    if connection.can("XLIST") and not any(each.special_use for each in entries):
        from imaplus.extensions.xlist import XList

        try:
            told = yield from XList()
        except CommandError:  # quirk 84
            connection.refuse("XLIST")
        else:
            if found := _best(each for each in told if wanted in each.attributes):
                return found
    taken = {each.name for each in entries if each.special_use}  # for something else
    names = WELL_KNOWN[wanted]
    return _best(
        each for each in entries if each.name not in taken and _key_word(each, names) is not None
    )


def _best(entries: Iterable[ListEntry]) -> ListEntry | None:
    """Of several the one that is nearest to the top, then the shortest."""

    def depth(entry: ListEntry) -> tuple[int, int, str]:
        levels = entry.name.count(entry.delimiter) if entry.delimiter else 0
        return levels, len(entry.name), entry.name

    return min((each for each in entries if each.selectable), key=depth, default=None)


def _key_word(entry: ListEntry, names: frozenset[str]) -> str | None:
    """The name's key word, if it has no other: "Sent Items" is for sent mail, "Sent to Ann" is not.

    Only at the top, or one level below it: "Clients/Sent" may be anything, but servers have
    "INBOX.Sent" and "[Gmail]/Sent Mail".
    """
    levels = entry.name.split(entry.delimiter) if entry.delimiter else [entry.name]
    above = levels[:-1]
    if above and not (len(above) == 1 and (same(above[0], "INBOX") or above[0].startswith("["))):
        return None
    text = normalise(levels[-1]).casefold().strip()
    words = [word for word in _WORDS.split(text) if word not in GENERIC]
    for candidate in (text, " ".join(words)):
        if candidate in names:
            return candidate
    return None


def exists(connection: Connection, name: str) -> Flow[bool]:
    """Whether there is a mailbox of this name that can be opened."""
    if same(name, "INBOX"):
        return True
    for _ in range(2):
        for entry in (yield from List("", (name,))):
            if same(entry.name, name) and entry.selectable:
                return True
        if name in connection.listed or not connection.learn_name(name):
            return False
    connection.listed.discard(name)
    return False


def ensure(
    connection: Connection, name: str, special_use: str | None, *, exist_ok: bool
) -> Flow[str | None]:
    """CREATE, or nothing if the mailbox is there and may be; its MAILBOXID, if the server tells it.

    Without CREATE-SPECIAL-USE the mailbox is created without its use.
    """
    uses = () if special_use is None else (special_use_of(special_use),)
    try:
        if uses and connection.can("CREATE-SPECIAL-USE"):
            return (yield from create(connection, name, uses))
        return (yield from create(connection, name))
    except (Refused, Rejected):  # Cyrus and Courier say why in words only
        if exist_ok and (yield from exists(connection, name)):
            return None
        raise


def drafts(connection: Connection) -> Flow[str]:
    """The name of the mailbox for drafts, which is created if there is none."""
    found = yield from find(connection, "\\Drafts")
    if found is not None:
        return found.name
    told = yield from namespaces(connection)
    name = f"{told.personal[0].prefix if told.personal else ''}Drafts"
    yield from ensure(connection, name, "\\Drafts", exist_ok=True)
    return name
