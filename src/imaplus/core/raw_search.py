"""Search criteria in IMAP's own words, for what has no key here, checked and written by tokens.

Whatever the text is, it is one search: it has no line breaks, its parentheses and quotes are
balanced, and what is not ASCII travels as a literal.
"""

from __future__ import annotations

from typing import Final

from imaplus.core.search_query import MAX_DEPTH, Query, check_text, write_text
from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.writer import Writer

# A quoted string, a parenthesis, or a word: neither can have what a literal begins with.
_TOKEN: Final = lazy_pattern(r'"((?:[^"\\]|\\["\\])*+)"|([()])|([^\x00-\x20(){%"\\\x7f]++)')
_SPACES: Final = lazy_pattern(r" +")
_ESCAPED: Final = lazy_pattern(r"\\(.)")
_NO_KEYS: Final = frozenset({"CHARSET", "RETURN", "IN"})
"""What comes before the keys in a SEARCH, and is not given here."""

Token = tuple[str, str]
"""Its kind ("text", "mark" or "word"), and what it says."""


@record(repr=False)
class Raw(Query):
    """Search criteria as IMAP writes them: `Raw("OR FROM ann SUBJECT report")`.

    It combines with other queries. Words beyond ASCII are sent in a charset, as elsewhere. For
    extensions that have no key here; what has one is better written as `From("ann")`.

    Raises:
        InvalidArgument: a line break, a NUL, a literal, or quotes or parentheses that do not
            match; nothing at all; or CHARSET or RETURN, which are not criteria.
    """

    criteria: str

    def __post_init__(self) -> None:
        check_text(self.criteria)
        self._tokens()

    def _tokens(self) -> list[Token]:
        text = self.criteria
        tokens: list[Token] = []
        depth = at = 0
        while at < len(text):
            if spaces := _SPACES.match(text, at):
                at = spaces.end()
                continue
            found = _TOKEN.match(text, at)
            if found is None:
                raise InvalidArgument(f"expected search criteria, found {text[at:]!r:.60}")
            at = found.end()
            if found[2]:
                tokens.append(("mark", found[2]))
                depth += 1 if found[2] == "(" else -1
                if not 0 <= depth <= MAX_DEPTH or tokens[-2:] == [("mark", "("), ("mark", ")")]:
                    raise InvalidArgument(f"parentheses that do not match: {text!r:.60}")
            elif found[3]:
                tokens.append(("word", found[3]))
            elif "\r" in found[1] or "\n" in found[1]:
                raise InvalidArgument(f"a line break in search criteria: {text!r:.60}")
            else:
                tokens.append(("text", _ESCAPED.sub(r"\1", found[1])))
        if depth or not tokens:
            raise InvalidArgument(f"expected search criteria, found {text!r:.60}")
        if tokens[0][0] == "word" and tokens[0][1].upper() in _NO_KEYS:
            raise InvalidArgument(f"{tokens[0][1]} is no search criterion (RFC 9051, 6.4.4)")
        return tokens

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        before = "("
        for kind, token in self._tokens():
            if before != "(" and token != ")":
                out.sp()
            before = token if kind == "mark" else ""
            if token == "(" and kind == "mark":
                out.raw(b"(")
            elif kind == "mark":
                out.raw(b")")
            elif kind == "text" or not token.isascii():
                write_text(out, token, charset)
            else:
                out.raw(token.encode("ascii"))

    def encode_key(self, out: Writer, charset: str = "utf-8") -> None:
        with out.parens():
            self.encode(out, charset)

    def texts(self) -> tuple[str, ...]:
        return tuple(token for kind, token in self._tokens() if kind != "mark")

    @property
    def depth(self) -> int:
        return 1 + self.criteria.count("(")
