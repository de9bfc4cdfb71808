"""Translate a query to SQL over the tables of the index.

Values are always parameters. A text becomes a phrase, normalised by `folding`, that begins at the
beginning of a word and may end inside one; adjacent texts become one FTS5 query.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import date

from imaplus.mirror.index.database import COLUMNS, key_of
from imaplus.mirror.index.journals import microseconds
from imaplus.query import QueryError, nodes
from imaplus.query.matching import glob
from imaplus.query.nodes import Node

_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_COLUMN = {"subject": "subject", "from": "sender", "to": "to_", "cc": "cc", "bcc": "bcc"}
_COLUMN |= {"body": "body"}
_NEVER = 1 << 42  # seconds; a moment in microseconds still fits into 64 bits
GONE = "(m.gone IS NOT NULL OR NOT g.live)"
"""True for messages that the server no longer has."""


class Condition:
    """The SQL condition for a query: its text, and the values of its parameters in order."""

    def __init__(self, connection: sqlite3.Connection, node: Node, *, fts5: bool) -> None:
        self.values: list[object] = []
        self._connection = connection
        self._fts5 = fts5
        self.text: str = self._of(node)

    def _of(self, node: Node) -> str:
        if self._fts5 and (match := _match(node)) is not None:
            self.values.append(match)
            return "m.body IN (SELECT rowid FROM words WHERE words MATCH ?)"
        match node:
            case nodes.All(terms):
                return self._all(terms)
            case nodes.AnyOf(terms):
                return f"({' OR '.join(map(self._of, terms)) or '0'})"
            case nodes.Not(term):
                # Comparing a missing date gives NULL.
                return f"NOT coalesce({self._of(term)}, 0)"
            case nodes.Words():
                return self._plain(node)
            case nodes.HasFlag(flag):
                return self._flags(flag)
            case nodes.Arrived(when, day):
                return self._day("m.date", "m.zone", when, day)
            case nodes.Sent(when, day):
                return self._day("c.sent", "c.sent_zone", when, day)
            case nodes.Aged(younger, seconds, now):
                limit = (microseconds(now) or 0) - min(seconds, _NEVER) * 1_000_000
                return self._with(f"m.date {'>=' if younger else '<='} ?", limit)
            case _:
                return self._rare(node)

    def _rare(self, node: Node) -> str:
        match node:
            case nodes.Larger(size):
                return self._with("m.size > ?", size)
            case nodes.Smaller(size):
                return self._with("m.size < ?", size)
            case nodes.WithUid(uids):
                return self._uids(uids.ranges)
            case nodes.InHeader(name, text):
                return self._with("in_header(m.body, ?, ?)", name, text)
            case nodes.WithId(message_id):
                return self._with(
                    "(m.body IN (SELECT id FROM contents WHERE message_key = ?)"
                    " AND c.message_id = ?)",
                    key_of(message_id),
                    message_id,
                )
            case nodes.FileNamed(pattern):
                return self._with(
                    "m.body IN (SELECT body FROM files WHERE name GLOB ?)", glob(pattern)
                )
            case nodes.HasAttachment():
                return "m.body IN (SELECT id FROM contents WHERE attachment)"
            case nodes.Gone():
                return GONE
        raise AssertionError(f"{type(node).__name__} has no meaning for an index")

    def _with(self, text: str, *values: object) -> str:
        self.values += values
        return text

    def _all(self, terms: tuple[Node, ...]) -> str:
        """Join conditions: texts first, in one FTS5 query; those that read files last."""
        texts = [term for term in terms if self._fts5 and _match(term) is not None]
        rest = [term for term in terms if term not in texts]
        rest.sort(key=lambda term: isinstance(term, nodes.InHeader))
        parts = [self._of(nodes.All(tuple(texts)))] if texts and rest else []
        parts += map(self._of, rest)
        return f"({' AND '.join(parts)})" if parts else "1"

    def _flags(self, flag: str) -> str:
        found = [
            str(number)
            for number, flags in self._connection.execute("SELECT id, flags FROM flags")
            if flag.lower() in map(str.lower, json.loads(flags))
        ]
        return f"m.flags IN ({', '.join(found)})"

    def _day(self, moment: str, zone: str, when: str, day: date) -> str:
        """Compare the day of a date in its own time zone, as servers do."""
        start = (day - _EPOCH).days * _DAY
        shown = f"({moment} + {zone} * 60000000)"
        # The first bounds are for the SQL index, which has UTC times.
        match when:
            case "since":
                return self._with(f"({moment} >= ? AND {shown} >= ?)", start - _DAY, start)
            case "before":
                return self._with(f"({moment} < ? AND {shown} < ?)", start + _DAY, start)
        return self._with(
            f"({moment} >= ? AND {moment} < ? AND {shown} >= ? AND {shown} < ?)",
            *(start - _DAY, start + 2 * _DAY, start, start + _DAY),
        )

    def _uids(self, ranges: tuple[tuple[int, int], ...]) -> str:
        last = "(SELECT max(uid) FROM messages WHERE generation = g.id)"
        parts = []
        for first, end in ranges:
            low, high = (last if n > 0xFFFFFFFF else "?" for n in (first, end))
            self.values += [n for n in (first, end) if n <= 0xFFFFFFFF]
            # "9:*" includes the last message even if its UID is below 9 (RFC 9051, 9).
            if high == last and low == "?":
                low = f"min(?, {last})"
            parts.append(f"m.uid BETWEEN {low} AND {high}")
        # The first part lets SQLite use the primary key of messages.
        return f"(m.generation IN (SELECT id FROM generations) AND ({' OR '.join(parts) or '0'}))"

    def _plain(self, node: nodes.Words) -> str:
        """The condition for a text without FTS5."""
        from imaplus.mirror.index.fallback import space_words

        text = space_words(phrase(node))
        columns = [_COLUMN[node.where]] if node.where in _COLUMN else list(COLUMNS)
        if _is_open(node):
            text = text[:-1]
        any_column = " OR ".join(f"instr({column}, ?)" for column in columns)
        self.values += [text] * len(columns)
        return f"m.body IN (SELECT rowid FROM words WHERE {any_column})"


def _match(node: Node) -> str | None:
    """The FTS5 query; None if the query has terms other than texts."""
    match node:
        case nodes.Words(where):
            text = f'"{phrase(node)}"{" *" if _is_open(node) else ""}'
            return f"{_COLUMN[where]} : {text}" if where in _COLUMN else text
        case nodes.All(terms) | nodes.AnyOf(terms) if terms:
            each = [_match(term) for term in terms]
            found = [one for one in each if one is not None]
            if len(found) < len(each):
                return None
            sign = " AND " if isinstance(node, nodes.All) else " OR "
            return sign.join(f"({one})" for one in found)
    return None


def phrase(node: nodes.Words) -> str:
    """Return the words of a text as the tokenizer splits them, separated by spaces.

    Raises:
        QueryError: the text has no letter or digit.
    """
    text = _fold(node.text)
    words = "".join(c if c.isalnum() or _is_mark(c) else " " for c in text).split()
    if not any(c.isalnum() for word in words for c in word):
        raise QueryError(
            "this text has no letter or digit, and a mirror is searched by words",
            node.column,
        )
    return " ".join(words)


def _is_open(node: nodes.Words) -> bool:
    """Whether the last word may be the beginning of a longer one."""
    last = _fold(node.text)[-1]
    return last.isalnum() or _is_mark(last)


def _fold(text: str) -> str:
    if text.isascii():
        return text
    from imaplus.mirror.index.folding import fold  # its patterns are slow to compile

    return fold(text)


def _is_mark(character: str) -> bool:
    """Whether it is a combining accent, which the tokenizer removes."""
    if character.isascii():
        return False
    from unicodedata import category

    return category(character)[0] == "M"
