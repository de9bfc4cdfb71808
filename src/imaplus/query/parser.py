"""Parse the text of a query.

    query    = any *("OR" any)          any = *term, of which all must match
    term     = ["-" / "NOT"] ( "(" query ")" / [operator ":"] value )
    value    = quoted / word / "(" query ")" where the operator takes a text

An error has the column of the part that cannot be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from imaplus import SequenceSet
from imaplus.errors import InvalidArgument
from imaplus.query import nodes
from imaplus.query.nodes import Node, QueryError, TextField
from imaplus.records import record

MAX_LENGTH: Final = 10_000
"""The longest query, in characters."""
MAX_DEPTH: Final = 30
"""The deepest nesting of parentheses."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\))
      | (?P<minus>-(?=[^\s)]))
      | (?P<operator>[A-Za-z][A-Za-z-]*):
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<word>[^\s()"][^\s)]*)
      | (?P<broken>")
    )""",
    re.VERBOSE | re.DOTALL,
)
_VALUE = re.compile(r'(?P<open>\()|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<broken>")|(?P<word>[^\s)"]+)')
_TEXTS: Final[dict[str, TextField]] = {
    **{"text": "text", "subject": "subject", "from": "from", "to": "to"},
    **{"cc": "cc", "bcc": "bcc", "body": "body"},
}
_IS: Final[dict[str, Node]] = {
    "unread": nodes.Not(nodes.HasFlag("\\Seen")),
    "unseen": nodes.Not(nodes.HasFlag("\\Seen")),
    "read": nodes.HasFlag("\\Seen"),
    "seen": nodes.HasFlag("\\Seen"),
    "flagged": nodes.HasFlag("\\Flagged"),
    "starred": nodes.HasFlag("\\Flagged"),
    "answered": nodes.HasFlag("\\Answered"),
    "draft": nodes.HasFlag("\\Draft"),
    "deleted": nodes.HasFlag("\\Deleted"),
    "gone": nodes.Gone(),
}
_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?")
_AGO = re.compile(r"([0-9]{1,6})(h|d|w|m|y)")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SIZE = re.compile(r"([0-9]{1,15})(?:(k|m|g)(i)?)?b?", re.IGNORECASE)
_KEYWORD = re.compile(r"[!#$&'+-Z\[^-z|}~]+")
_FIELD_NAME = re.compile(r"[!-9;-~]+")


def parse(text: str, *, now: datetime | None = None) -> Node:
    """Parse a query: `from:billing since:90d -is:read (invoice OR receipt)`.

    Args:
        text: the query; an empty one matches every message.
        now: the time that `90d` and `today` refer to; None: the current local time.

    Returns the query for `find`, `steps`, `keys` and `imaplus.mirror.Index.find`.

    Raises:
        QueryError: the query is invalid; its `column` says where.

    Example:
        >>> parse("larger:1M")
        Larger(size=1000000)
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query has more than {MAX_LENGTH} characters", MAX_LENGTH)
    return _Parser(text, now or datetime.now(UTC).astimezone()).parse()


@record
class _Value:
    """The value of an operator, and its column."""

    text: str
    column: int


class _Parser:
    def __init__(self, text: str, now: datetime) -> None:
        self._text = text
        self._at = 0
        self._now = now
        self._depth = 0

    def parse(self) -> Node:
        found = self._query("text")
        if self._at < len(self._text):
            raise QueryError("')' without '('", self._at)
        return found

    def _query(self, field: TextField) -> Node:
        """Parse terms up to `)` or the end; text without an operator is searched in `field`."""
        choices: list[list[Node]] = [[]]
        after_or = 0
        while True:
            start = self._skip()
            match = _TOKEN.match(self._text, self._at)
            if match is None or match["close"]:
                self._at = match.end() if match else len(self._text)
                break
            word = match["word"]
            if word == "OR":
                if not choices[-1]:
                    raise QueryError("OR has nothing before it", start)
                self._at = match.end()
                choices.append([])
                after_or = start
            elif word == "AND":
                self._at = match.end()
            else:
                choices[-1].append(self._term(field))
        if len(choices) > 1 and not choices[-1]:
            raise QueryError("OR has nothing after it", after_or)
        each = [terms[0] if len(terms) == 1 else nodes.All(tuple(terms)) for terms in choices]
        return each[0] if len(each) == 1 else nodes.AnyOf(tuple(each))

    def _term(self, field: TextField) -> Node:
        start = self._skip()
        match = _TOKEN.match(self._text, self._at)
        if match is None or match["close"]:
            raise QueryError("a term is missing here", min(start, len(self._text) or 1))
        self._at = match.end()
        if match["minus"] or match["word"] == "NOT":
            self._enter(start)
            found = nodes.Not(self._term(field))
            self._depth -= 1
            return found
        if match["open"]:
            return self._group(field, start)
        if match["broken"]:
            raise QueryError("this quotation mark is not closed", start)
        if (operator := match["operator"]) is None:
            text = match["word"] or _unquote(match["quoted"])
            return self._words(field, _Value(text, start))
        return self._operator(operator, start)

    def _skip(self) -> int:
        """Skip spaces; return the column of what follows."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at + 1

    def _enter(self, column: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(f"more than {MAX_DEPTH} levels of parentheses", column)

    def _group(self, field: TextField, start: int) -> Node:
        """Parse the rest of a group, after its opening parenthesis."""
        self._enter(start)
        before = self._at
        found = self._query(field)
        if self._text[self._at - 1 : self._at] != ")" or self._at == before:
            raise QueryError("this parenthesis is not closed", start)
        if found == nodes.All():
            raise QueryError("there is nothing in these parentheses", start)
        self._depth -= 1
        return found

    def _operator(self, written: str, start: int) -> Node:
        name = written.lower()
        if name in _TEXTS:
            match = _VALUE.match(self._text, self._at)
            if match is not None and match["open"]:
                self._at = match.end()
                return self._group(_TEXTS[name], match.start() + 1)
            return self._words(_TEXTS[name], self._value(written, start))
        read = _OPERATORS.get(name)
        if read is None:
            from difflib import get_close_matches

            close = get_close_matches(name, OPERATORS, 1)
            meant = f"did you mean {close[0]}:?" if close else "quote it to search for the text"
            raise QueryError(f"unknown operator {written}: ({meant})", start)
        return read(self, self._value(written, start))

    def _value(self, operator: str, start: int) -> _Value:
        match = _VALUE.match(self._text, self._at)
        if match is None:
            raise QueryError(f"{operator}: has no value", start)
        column = match.start() + 1
        if match["open"]:
            raise QueryError(f"{operator}: takes no parentheses", column)
        if match["broken"]:
            raise QueryError("this quotation mark is not closed", column)
        self._at = match.end()
        return _Value(match["word"] or _unquote(match["quoted"]), column)

    # -- values --------------------------------------------------------------------------------

    def _words(self, field: TextField, value: _Value) -> Node:
        _check_text(value)
        if not value.text.strip():
            raise QueryError("there is no text to search for", value.column)
        return nodes.Words(field, value.text, value.column)

    def _is(self, value: _Value) -> Node:
        found = _IS.get(value.text.lower())
        if found is None:
            raise QueryError(f"is: takes one of {', '.join(_IS)}", value.column)
        return found

    def _has(self, value: _Value) -> Node:
        if value.text.lower() not in ("attachment", "attachments"):
            raise QueryError("has: takes attachment", value.column)
        return nodes.HasAttachment()

    def _keyword(self, value: _Value) -> Node:
        if not _KEYWORD.fullmatch(value.text):
            raise QueryError("not a valid keyword", value.column)
        return nodes.HasFlag(value.text)

    def _since(self, value: _Value) -> Node:
        return self._hours(value, younger=True) or nodes.Arrived("since", self._day(value))

    def _before(self, value: _Value) -> Node:
        return self._hours(value, younger=False) or nodes.Arrived("before", self._day(value))

    def _on(self, value: _Value) -> Node:
        return nodes.Arrived("on", self._day(value))

    def _sent_since(self, value: _Value) -> Node:
        return nodes.Sent("since", self._day(value))

    def _sent_before(self, value: _Value) -> Node:
        return nodes.Sent("before", self._day(value))

    def _sent_on(self, value: _Value) -> Node:
        return nodes.Sent("on", self._day(value))

    def _hours(self, value: _Value, *, younger: bool) -> Node | None:
        match = _AGO.fullmatch(value.text.lower())
        if match is None or match[2] != "h":
            return None
        return nodes.Aged(younger, int(match[1]) * 3600, self._now)

    def _day(self, value: _Value) -> date:
        text = value.text.lower()
        today = self._now.date()
        try:
            if text in ("today", "yesterday"):
                return today - timedelta(days=text == "yesterday")
            if (match := _AGO.fullmatch(text)) and match[2] in _DAYS:
                return today - timedelta(days=int(match[1]) * _DAYS[match[2]])
            if match := _DAY.fullmatch(text):
                return date(int(match[1]), int(match[2]), int(match[3] or 1))
        except (ValueError, OverflowError):
            pass
        raise QueryError("expected a day: 2026-01-31, 90d, 2w, today, yesterday", value.column)

    def _larger(self, value: _Value) -> Node:
        return nodes.Larger(_size(value))

    def _smaller(self, value: _Value) -> Node:
        return nodes.Smaller(_size(value))

    def _uid(self, value: _Value) -> Node:
        try:
            return nodes.WithUid(SequenceSet.of(value.text))
        except InvalidArgument:
            raise QueryError("expected UIDs: 7, 1:50, 3,9:*", value.column) from None

    def _header(self, value: _Value) -> Node:
        name, colon, text = value.text.partition(":")
        if not _FIELD_NAME.fullmatch(name):
            raise QueryError("expected header:NAME:TEXT, or header:NAME", value.column)
        if colon and not text and (match := _VALUE.match(self._text, self._at)):
            # header:Subject:"two words"
            text = self._value("header", match.start()).text
        inner = _Value(text, value.column)
        _check_text(inner)
        return nodes.InHeader(name, text)

    def _id(self, value: _Value) -> Node:
        _check_text(value)
        inner = value.text.strip().removeprefix("<").removesuffix(">")
        if not inner or re.search(r"\s", inner):
            raise QueryError("expected a Message-ID: <...@...>", value.column)
        return nodes.WithId(f"<{inner}>")

    def _filename(self, value: _Value) -> Node:
        _check_text(value)
        if not value.text.strip():
            raise QueryError("expected a file name, or a pattern such as *.pdf", value.column)
        return nodes.FileNamed(value.text)


_OPERATORS: Final[dict[str, Callable[[_Parser, _Value], Node]]] = {
    "is": _Parser._is,
    "has": _Parser._has,
    "keyword": _Parser._keyword,
    "since": _Parser._since,
    "before": _Parser._before,
    "on": _Parser._on,
    "sent-since": _Parser._sent_since,
    "sent-before": _Parser._sent_before,
    "sent-on": _Parser._sent_on,
    "larger": _Parser._larger,
    "smaller": _Parser._smaller,
    "uid": _Parser._uid,
    "header": _Parser._header,
    "id": _Parser._id,
    "filename": _Parser._filename,
}
OPERATORS: Final = (*_TEXTS, *_OPERATORS)
"""All operators of the query language, without the colon."""


def _unquote(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)


def _check_text(value: _Value) -> None:
    if "\0" in value.text or any("\ud800" <= c <= "\udfff" for c in value.text):
        raise QueryError("cannot search for NUL or a lone surrogate", value.column)


def _size(value: _Value) -> int:
    match = _SIZE.fullmatch(value.text)
    if match is None:
        raise QueryError("expected a size: 500, 200k, 1M, 1MiB", value.column)
    factor = 1024 if match[3] else 1000
    size: int = int(match[1]) * factor ** " kmg".index((match[2] or " ").lower())
    if size >= 1 << 63:
        raise QueryError("the size is too large", value.column)
    return size
