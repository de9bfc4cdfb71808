"""Group messages into threads by References (RFC 5256, section 3, REFERENCES; 2.1, base subject).

`threads` takes header values. Messages that are only referred to connect a thread, and are not in
the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from imaplus.records import record

_MAX_REFERENCES = 1000  # of one message
_ID = re.compile(r"<[^<>\s]+>")
_LEADER = re.compile(r"(?:re|fwd?)\s*(?:\[[^\[\]]*\]\s*)?:\s*", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*\]\s*")
_FORWARDED = re.compile(r"\[fwd:(.*)\]", re.IGNORECASE | re.DOTALL)
_TRAILER = re.compile(r"\s*\(fwd\)\s*\Z|\s+\Z", re.IGNORECASE)
_NEVER = datetime.min.replace(tzinfo=UTC)


@record
class Threaded:
    """The header values of a message. `date` is its Date field, or else its INTERNALDATE."""

    message_id: str = ""
    references: str = ""
    in_reply_to: str = ""
    subject: str = ""
    date: datetime | None = None


Thread = list[tuple[int, int]]
"""The messages of a thread, parents before children: index in the input (from 0), and depth."""


def threads(messages: Sequence[Threaded]) -> list[Thread]:
    """Group messages into threads (RFC 5256, REFERENCES).

    Returns one list for each thread: pairs of the index in `messages` and the depth (0 for the
    first message). Threads, and replies to the same message, are in order of date.

    Example:
        >>> first = Threaded(message_id="<1@example.org>", subject="Lunch")
        >>> reply = Threaded(message_id="<2@example.org>", references="<1@example.org>")
        >>> threads([first, reply])
        [[(0, 0), (1, 1)]]
    """
    roots = _link(messages)
    roots = _join_by_subject([kept for root in roots for kept in _prune(root)], messages)
    ordered = sorted(roots, key=lambda root: _date(root, messages))
    return [list(_flatten(root, messages)) for root in ordered]


class _Box:
    """A message in a tree; `place` is None if it is only referred to."""

    __slots__ = ("children", "parent", "place")

    def __init__(self, place: int | None = None) -> None:
        self.place = place
        self.parent: _Box | None = None
        self.children: list[_Box] = []

    def adopt(self, child: _Box) -> None:
        if child.parent is not None:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)

    def is_below(self, other: _Box) -> bool:
        box: _Box | None = self
        while box is not None:
            if box is other:
                return True
            box = box.parent
        return False


def _link(messages: Sequence[Threaded]) -> list[_Box]:
    """Steps 1 and 2: link messages to those that they refer to; return the roots."""
    boxes: dict[str, _Box] = {}
    every: list[_Box] = []

    def box_of(message_id: str) -> _Box:
        box = boxes.get(message_id)
        if box is None:
            box = boxes[message_id] = _Box()
            every.append(box)
        return box

    for place, message in enumerate(messages):
        found = _ID.search(message.message_id)
        # A missing or repeated Message-ID counts as a new one.
        box = box_of(found[0]) if found else None
        if box is None or box.place is not None:
            box = _Box()
            every.append(box)
        box.place = place
        above: _Box | None = None
        for message_id in _references(message):
            referred = box_of(message_id)
            if above is not None and referred.parent is None and not above.is_below(referred):
                above.adopt(referred)
            above = referred
        if above is not None and not above.is_below(box):
            above.adopt(box)
        elif above is None and box.parent is not None:
            box.parent.children.remove(box)
            box.parent = None
    return [box for box in every if box.parent is None]


def _references(message: Threaded) -> list[str]:
    """The Message-IDs that a message refers to, the oldest first."""
    found = _ID.findall(message.references)[-_MAX_REFERENCES:]
    return found or _ID.findall(message.in_reply_to)[:1]


def _prune(root: _Box) -> list[_Box]:
    """Step 3: remove messages that are only referred to, where possible."""
    for box in reversed(list(_walk(root))):
        kept: list[_Box] = []
        for child in box.children:
            if child.place is not None:
                kept.append(child)
            elif child.children:
                kept += child.children
        box.children = kept
        for child in kept:
            child.parent = box
    if root.place is None and len(root.children) < 2:
        for child in root.children:
            child.parent = None
        return root.children
    return [root]


def _join_by_subject(roots: list[_Box], messages: Sequence[Threaded]) -> list[_Box]:
    """Step 5: join threads with the same base subject."""
    table: dict[str, _Box] = {}
    for root in roots:
        subject = base_subject(_subject(root, messages))[0]
        known = table.get(subject)
        if subject and (
            known is None
            or (known.place is not None and root.place is None)
            or (
                base_subject(_subject(known, messages))[1]
                and not base_subject(_subject(root, messages))[1]
                and (known.place is None) == (root.place is None)
            )
        ):
            table[subject] = root
    joined: list[_Box] = []
    for root in roots:
        subject, is_reply = base_subject(_subject(root, messages))
        known = table.get(subject, root)
        if known is root:
            joined.append(root)
        elif known.place is None and root.place is None:
            for child in list(root.children):
                known.adopt(child)
        elif known.place is None or (is_reply and not base_subject(_subject(known, messages))[1]):
            known.adopt(root)
        else:
            both = _Box()
            joined[joined.index(known)] = both
            both.adopt(known)
            both.adopt(root)
            table[subject] = both
    return joined


def _walk(root: _Box) -> Iterator[_Box]:
    waiting = [root]
    while waiting:
        box = waiting.pop()
        yield box
        waiting.extend(reversed(box.children))


def _subject(root: _Box, messages: Sequence[Threaded]) -> str:
    box = root if root.place is not None else root.children[0]
    while box.place is None:
        box = box.children[0]
    return messages[box.place].subject


def _date(box: _Box, messages: Sequence[Threaded]) -> tuple[datetime, int]:
    """The sort key of a tree: the date of its root, or of its first message."""
    places = [box.place] if box.place is not None else [b.place for b in _walk(box)]
    found = [place for place in places if place is not None]
    return min((messages[place].date or _NEVER, place) for place in found)


def _flatten(root: _Box, messages: Sequence[Threaded]) -> Iterator[tuple[int, int]]:
    waiting = [(root, 0 if root.place is not None else -1)]
    while waiting:
        box, depth = waiting.pop()
        if box.place is not None:
            yield box.place, max(depth, 0)
        children = sorted(box.children, key=lambda child: _date(child, messages), reverse=True)
        waiting += [(child, depth + 1) for child in children]


def base_subject(subject: str) -> tuple[str, bool]:
    """Return the base subject (RFC 5256, 2.1), and whether it was a reply or forward."""
    text = " ".join(subject.split())
    is_reply = False
    while True:
        before = text
        while match := _TRAILER.search(text):
            is_reply = is_reply or bool(match[0].strip())
            text = text[: match.start()]
        while True:
            at = 0
            while blob := _BLOB.match(text, at):
                at = blob.end()
            leader = _LEADER.match(text, at)
            if leader is not None:
                text, is_reply = text[leader.end() :], True
            elif (blob := _BLOB.match(text)) and text[blob.end() :]:
                text = text[blob.end() :]
            else:
                break
        if match := _FORWARDED.fullmatch(text):
            text, is_reply = match[1].strip(), True
        if text == before:
            return text.casefold(), is_reply
