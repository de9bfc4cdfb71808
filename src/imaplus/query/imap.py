"""Run a query on a server: search keys, and steps for what SEARCH cannot do.

Most of a query is one SEARCH. Terms without a search key (attachments, file names, hours on a
server without WITHIN) are checked with BODYSTRUCTURE and INTERNALDATE of the messages that the
other terms find. `steps` does no I/O: it yields requests, and receives the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from imaplus import SequenceSet, search
from imaplus.query import nodes
from imaplus.query.matching import matches_name
from imaplus.query.nodes import Node
from imaplus.query.simplifying import simplify
from imaplus.records import record
from imaplus.search import Query
from imaplus.types import Part

if TYPE_CHECKING:
    from imaplus import Mailbox

T = TypeVar("T")
Can = Callable[[str], bool]
"""Tells whether the server has a capability, as `Client.can`."""

_FLAGS: Final = {
    "\\seen": search.Seen,
    "\\flagged": search.Flagged,
    "\\answered": search.Answered,
    "\\draft": search.Draft,
    "\\deleted": search.Deleted,
}
_TEXTS: Final[dict[str, Callable[[str], Query]]] = {
    "text": search.Text,
    "subject": search.Subject,
    "from": search.From,
    "to": search.To,
    "cc": search.Cc,
    "bcc": search.Bcc,
    "body": search.Body,
}
_ARRIVED: Final[dict[str, Callable[[date], Query]]] = {
    "since": search.Since,
    "before": search.Before,
    "on": search.On,
}
_SENT: Final[dict[str, Callable[[date], Query]]] = {
    "since": search.SentSince,
    "before": search.SentBefore,
    "on": search.SentOn,
}


@record
class Search:
    """A step: run this query with SEARCH, and send the UIDs found as a `SequenceSet`."""

    query: Query


@record
class Structures:
    """A step: fetch BODYSTRUCTURE of these messages, and send a mapping from UID to `Part`."""

    uids: SequenceSet


@record
class Dates:
    """A step: fetch INTERNALDATE of these messages, and send a mapping from UID to `datetime`."""

    uids: SequenceSet


Steps = Generator[
    Search | Structures | Dates,
    "SequenceSet | Mapping[int, Part] | Mapping[int, datetime]",
    SequenceSet,
]
"""A generator that yields steps, receives their answers, and returns the UIDs found."""


def keys(node: Node, can: Can) -> Query | None:
    """Translate a query to search keys (RFC 9051, 6.4.4).

    Args:
        node: the query, from `parse`.
        can: tells whether the server has a capability: `client.can`.

    Returns the keys; None if a part of the query has no search key, so that `find` or `steps` is
    needed.

    Example:
        >>> keys(parse("from:ada -is:read"), lambda name: False) is not None  # doctest: +SKIP
        True
    """
    return _keys(simplify(node), can)


def _keys(node: Node, can: Can) -> Query | None:
    match node:
        case nodes.All(terms):
            each = [_keys(term, can) for term in terms]
            found = [key for key in each if key is not None]
            return search.And(*found) if len(found) == len(each) else None
        case nodes.AnyOf(terms):
            each = [_keys(term, can) for term in terms]
            found = [key for key in each if key is not None]
            return search.Or(*found) if len(found) == len(each) else None
        case nodes.Not(term):
            key = _keys(term, can)
            return None if key is None else ~key
        case _:
            return _key(node, can)


def _key(node: Node, can: Can) -> Query | None:
    match node:
        case nodes.Words(name, text):
            return _TEXTS[name](text)
        case nodes.HasFlag(flag):
            known = _FLAGS.get(flag.lower())
            return search.HasKeyword(flag) if known is None else known
        case nodes.Arrived(when, day):
            return _ARRIVED[when](day)
        case nodes.Sent(when, day):
            # Dovecot treats a message without a Date field as one of 1970.
            key = _SENT[when](day)
            return key if when == "since" else search.And(key, search.Header("Date"))
        case nodes.Aged(younger, seconds) if can("WITHIN") and seconds:
            return search.Younger(seconds) if younger else search.Older(seconds)
        case nodes.Larger(size):
            return search.Larger(size)
        case nodes.Smaller(size):
            return search.Smaller(size)
        case nodes.WithUid(uids):
            return search.Uid(uids)
        case nodes.InHeader(name, text):
            return search.Header(name, text)
        case nodes.WithId(message_id):
            return search.Header("Message-ID", message_id)
        case nodes.HasAttachment() if can("X-GM-EXT-1"):
            return search.GmailSearch("has:attachment")
        case nodes.Gone():
            return ~search.All  # a server finds none of these
    return None


def steps(node: Node, can: Can) -> Steps:
    """Run a query without I/O: yield the steps to do, and receive their answers by `send`.

    Args:
        node: the query, from `parse`.
        can: tells whether the server has a capability: `client.can`.

    The generator returns the UIDs found (`StopIteration.value`).
    """
    node = simplify(node)
    whole = _keys(node, can)
    if whole is not None:
        return _uids((yield Search(whole)))
    match node:
        case nodes.All(terms):
            typed = [key for term in terms if (key := _keys(term, can)) is not None]
            found = _uids((yield Search(typed[0] if len(typed) == 1 else search.And(*typed))))
            for term in terms:
                if found and _keys(term, can) is None:
                    found = yield from _among(term, can, found)
            return found
        case _:
            found = _uids((yield Search(search.All)))
            return (yield from _among(node, can, found))


def _among(node: Node, can: Can, among: SequenceSet) -> Steps:
    """Select the messages of `among` that match a query."""
    match node:
        case nodes.AnyOf(terms):
            union = SequenceSet()
            for term in terms:
                union |= yield from _among(term, can, among - union)
            return union
        case nodes.Not(term):
            return among - (yield from _among(term, can, among))
        case nodes.All():
            return (yield from steps(node, can)) & among
        case nodes.HasAttachment() | nodes.FileNamed():
            structures = (yield Structures(among)) if among else {}
            return SequenceSet.from_numbers(
                uid for uid, part in _of(structures, Part).items() if _has(part, node)
            )
        case nodes.Aged(younger, seconds, now):
            dates = (yield Dates(among)) if among else {}
            limit = now - timedelta(seconds=seconds)
            return SequenceSet.from_numbers(
                uid
                for uid, at in _of(dates, datetime).items()
                if at == limit or (at > limit) == younger
            )
        case _:
            return (yield from steps(node, can)) & among


def _uids(answer: object) -> SequenceSet:
    assert isinstance(answer, SequenceSet)
    return answer


def _of(answer: object, kind: type[T]) -> Mapping[int, T]:
    assert isinstance(answer, Mapping)
    return answer


def _has(part: Part, node: nodes.HasAttachment | nodes.FileNamed) -> bool:
    """Whether a message of this structure has an attachment, or a file of that name."""
    if isinstance(node, nodes.HasAttachment):
        return any(each.is_attachment for each in part.walk())
    return any(
        name is not None and matches_name(node.pattern, name)
        for name in (each.filename for each in part.walk())
    )


def find(mailbox: Mailbox, node: Node, *, can: Can) -> SequenceSet:
    """Find the messages of an open mailbox that match a query; return their UIDs.

    Args:
        mailbox: the selected mailbox.
        node: the query, from `parse`.
        can: tells whether the server has a capability: `client.can`.

    For an `AsyncClient`, use `steps`.

    Raises:
        ImapError: as `Mailbox.search` and `Mailbox.fetch`.

    Example:
        >>> mailbox = client.examine("INBOX")  # doctest: +SKIP
        >>> find(mailbox, parse("is:unread"), can=client.can)  # doctest: +SKIP
    """
    asking = steps(node, can)
    answer: Any = None  # starts the generator
    while True:
        try:
            step = asking.send(answer)
        except StopIteration as finished:
            found: SequenceSet = finished.value
            return found
        match step:
            case Search(query):
                answer = mailbox.search(query)
            case Structures(uids):
                answer = {
                    it.uid: it["BODYSTRUCTURE"]
                    for it in mailbox.fetch(uids, "BODYSTRUCTURE")
                    if it.uid and "BODYSTRUCTURE" in it
                }
            case Dates(uids):
                answer = {
                    it.uid: it["INTERNALDATE"]
                    for it in mailbox.fetch(uids, "INTERNALDATE")
                    if it.uid and "INTERNALDATE" in it
                }
