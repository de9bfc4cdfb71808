"""What to search for, as values that combine::

    From("ann") & Since(date(2026, 1, 1)) & ~Seen

`&`, `|` and `~` combine queries, and parentheses do what they do in Python. It knows how a query is
written and what it needs of a server; how to ask, in which charset, and what comes back, it does
not. The keys themselves stand in `search_keys`, and those of extensions in the extensions' files.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final, NoReturn

from imaplus.core.encoded_words import charset_codec
from imaplus.errors import InvalidArgument
from imaplus.records import field, record
from imaplus.wire.writer import Writer

MAX_DEPTH: Final = 100
"""Levels of NOT, OR and parentheses: far more than people write, and few enough to recurse into."""


class Query:
    """Which messages to find. Immutable, hashable, combined by `&`, `|` and `~`.

    A key of an extension derives from it, as a frozen dataclass: it names in `requires` the
    capability that it needs, writes itself in `encode()`, and says in `texts()` and `below()` what
    texts and queries it holds, if any.
    """

    __slots__ = ()
    requires: ClassVar[str | None] = None

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        """Write the query, its texts in a charset.

        Raises:
            InvalidArgument: the charset is unknown, or cannot express a text, even without accents.
        """
        raise AssertionError(f"{type(self).__name__} does not say how it is written")

    def encode_key(self, out: Writer, charset: str = "utf-8") -> None:
        """Write it as one search-key, as NOT and OR take it: several are put in parentheses."""
        self.encode(out, charset)

    def texts(self) -> tuple[str, ...]:
        """The texts that this key writes by `write_text()`, those of queries below left out."""
        return ()

    def below(self) -> tuple[Query, ...]:
        """The queries that this one is made of."""
        return ()

    @property
    def depth(self) -> int:
        """How deep the query is nested on the wire."""
        return 1 + max((query.depth for query in self.below()), default=-1)

    def walk(self) -> Iterator[Query]:
        """This query and all that it is made of."""
        waiting: list[Query] = [self]
        while waiting:
            query = waiting.pop()
            yield query
            waiting.extend(reversed(query.below()))

    def needs(self) -> frozenset[str]:
        """The capabilities that a server must have for this query."""
        return frozenset(query.requires for query in self.walk() if query.requires is not None)

    @property
    def needs_charset(self) -> bool:
        """Whether there is text beyond ASCII, so that the command must name a charset."""
        return not all(text.isascii() for query in self.walk() for text in query.texts())

    def __and__(self, other: Query) -> And:
        if not isinstance(other, Query):
            return NotImplemented
        return And(self, other)

    def __or__(self, other: Query) -> Or:
        if not isinstance(other, Query):
            return NotImplemented
        return Or(self, other)

    def __invert__(self) -> Query:
        return Not(self)

    def __bool__(self) -> NoReturn:
        # `Seen and Flagged` would be Flagged, without a word.
        raise InvalidArgument("a query is neither true nor false: combine with &, | and ~")

    def __repr__(self) -> str:
        values = (getattr(self, name) for name in type(self).__match_args__)  # type: ignore[attr-defined]
        shown = ", ".join(str(v) if isinstance(v, date) else repr(v) for v in values)
        return f"{type(self).__name__}({shown})"

    def _repr_key(self) -> str:
        return repr(self)


def write_text(out: Writer, text: str, charset: str) -> None:
    """astring, in a charset; what the charset lacks loses its accents (quirk 51).

    Raises:
        InvalidArgument: the charset is unknown, or cannot express the text.
    """
    codec = charset_codec(charset)
    if codec is None:
        raise InvalidArgument(f"unknown charset: {charset!r:.60}")
    try:
        data = text.encode(codec)
    except UnicodeEncodeError:
        try:
            data = _without_accents(text).encode(codec)
        except UnicodeEncodeError:
            raise InvalidArgument(f"{charset} cannot express {text!r}") from None
    out.astring(data)


def _without_accents(text: str) -> str:
    import unicodedata  # a megabyte of tables, for servers without UTF-8

    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def check_text(text: str) -> None:
    """Insist on a text that can be searched for.

    Raises:
        InvalidArgument: it is no text, or has a NUL or a lone surrogate.
    """
    if not isinstance(text, str):
        raise InvalidArgument(f"expected a text to search for, found {text!r:.60}")
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidArgument(f"neither NUL nor a lone surrogate can be searched for: {text!r:.60}")


# -- combinations ----------------------------------------------------------------------------------


@record(init=False, repr=False)
class _Several(Query):
    """Queries of equal rank; those of the same kind among them are taken apart."""

    terms: tuple[Query, ...]
    inner: int = field(init=False, compare=False)
    """The depth of the deepest of them."""

    def __init__(self, *queries: Query, terms: tuple[Query, ...] = ()) -> None:
        """`terms` are more queries: what `dataclasses.replace()` gives."""
        flat: list[Query] = []
        inner = 0
        for term in (*queries, *terms):
            if isinstance(term, _Several) and type(term) is type(self):
                flat += term.terms
                inner = max(inner, term.inner)
            elif isinstance(term, Query):
                flat.append(term)
                inner = max(inner, term.depth)
            else:
                raise InvalidArgument(f"expected a query, found {term!r:.60}")
        object.__setattr__(self, "terms", tuple(flat))
        object.__setattr__(self, "inner", inner)
        _check_depth(self)

    def below(self) -> tuple[Query, ...]:
        return self.terms

    def _repr_with(self, sign: str) -> str:
        if len(self.terms) < 2:
            return f"{type(self).__name__}({', '.join(map(repr, self.terms))})"
        return sign.join(term._repr_key() for term in self.terms)

    def _repr_key(self) -> str:
        return f"({self!r})" if len(self.terms) > 1 else repr(self)


def _check_depth(query: Query) -> None:
    if query.depth > MAX_DEPTH:
        raise InvalidArgument(f"a query of more than {MAX_DEPTH} levels")


class And(_Several):
    """Messages that all of the queries find; all messages, if there is no query."""

    __slots__ = ()

    @property
    def depth(self) -> int:
        return self.inner + 1

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        for _, term in out.separate(self.terms or (All,)):
            term.encode_key(out, charset)

    def encode_key(self, out: Writer, charset: str = "utf-8") -> None:
        if len(self.terms) < 2:
            self.encode(out, charset)
            return
        with out.parens():
            self.encode(out, charset)

    def __repr__(self) -> str:
        return self._repr_with(" & ")


class Or(_Several):
    """Messages that at least one of the queries finds; none, if there is no query."""

    __slots__ = ()

    @property
    def depth(self) -> int:
        return self.inner + max(1, (len(self.terms) - 1).bit_length())

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        self._encode(out, charset, self.terms or (~All,))

    def _encode(self, out: Writer, charset: str, terms: tuple[Query, ...]) -> None:
        # "OR" SP search-key SP search-key: two, so that more are nested, and as flat as can be.
        if len(terms) == 1:
            terms[0].encode_key(out, charset)
            return
        half = len(terms) // 2
        out.raw(b"OR ")
        self._encode(out, charset, terms[:half])
        out.sp()
        self._encode(out, charset, terms[half:])

    def __repr__(self) -> str:
        return self._repr_with(" | ")


@record(repr=False)
class Not(Query):
    """Messages that the query does not find: what `~` makes."""

    query: Query

    def __post_init__(self) -> None:
        if not isinstance(self.query, Query):
            raise InvalidArgument(f"expected a query, found {self.query!r:.60}")
        _check_depth(self)

    def below(self) -> tuple[Query, ...]:
        return (self.query,)

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"NOT ")
        self.query.encode_key(out, charset)

    def __invert__(self) -> Query:
        return self.query

    def __repr__(self) -> str:
        return f"~{self.query._repr_key()}"


@record(repr=False)
class Key(Query):
    """A key that is one word. `Seen` and its like in `search_keys` are all there are."""

    name: str

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.atom(self.name.upper())

    def __repr__(self) -> str:
        return self.name


All: Final = Key("All")
"""Every message."""
ALL: Final = All  # for a default that should look like the constant it is
