"""Remove repeated and implied terms from a query.

Dovecot 2.4 needs that: for (A or B) and (B or A) it returns all messages, and of two sizes or days
under a NOT it uses the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaplus.query.nodes import All, AnyOf, Arrived, Larger, Node, Not, Sent, Smaller

NOTHING = AnyOf(())
EVERYTHING = All(())


def simplify(node: Node) -> Node:
    """Return an equivalent query without redundant terms."""
    match node:
        case Not(term):
            inner = simplify(term)
            if isinstance(inner, Not):
                return inner.term
            return _negate(inner)
        case All(terms):
            return _join(terms, All, AnyOf)
        case AnyOf(terms):
            return _join(terms, AnyOf, All)
    return node


def _negate(node: Node) -> Node:
    """Negate a query for a server, where every message has a size and a date."""
    match node:
        case All(()):
            return NOTHING
        case AnyOf(()):
            return EVERYTHING
        case Larger(size):
            return Smaller(size + 1)
        case Smaller(size) if size:
            return Larger(size - 1)
        case Arrived("since", day):
            return Arrived("before", day)
        case Arrived("before", day):
            return Arrived("since", day)
    return Not(node)


def _join(
    terms: Iterable[Node], kind: type[All] | type[AnyOf], other: type[All] | type[AnyOf]
) -> Node:
    """Simplify the terms of `kind`; `other` is the dual one of All and AnyOf."""
    flat: dict[Node, None] = {}
    for term in map(simplify, terms):
        flat.update(dict.fromkeys(term.terms if isinstance(term, kind) else (term,)))
    flat = dict.fromkeys(_merge_bounds(flat, all_of=kind is All))
    if other(()) in flat or any(Not(term) in flat for term in flat):
        return other(())
    kept = _drop_implied(list(flat), other)
    return kept[0] if len(kept) == 1 else kind(tuple(kept))


def _merge_bounds(terms: Iterable[Node], *, all_of: bool) -> list[Node]:
    """Keep only the effective one of several sizes, or of several days."""
    bounds: dict[object, Node] = {}
    for term in terms:
        kind, value, rises = _bound(term)
        known = bounds.get(kind)
        if known is None or (
            value != _bound(known)[1] and (value > _bound(known)[1]) == (rises == all_of)
        ):
            bounds[kind] = term
    return list(bounds.values())


def _bound(term: Node) -> tuple[object, int, bool]:
    """What a term bounds, the bound, and whether a higher one finds less.

    Other terms bound themselves.
    """
    match term:
        case Larger(size):
            return Larger, size, True
        case Smaller(size):
            return Smaller, size, False
        case Arrived("since" | "before" as when, day) | Sent("since" | "before" as when, day):
            return (type(term), when), day.toordinal(), when == "since"
    return term, 0, True


def _drop_implied(terms: Sequence[Node], other: type[All] | type[AnyOf]) -> list[Node]:
    """Remove `A or B` beside `A` in an All, and `A and B` beside `A` in an AnyOf."""
    parts = [frozenset(it.terms if isinstance(it, other) else (it,)) for it in terms]
    kept: list[Node] = []
    for place, (term, mine) in enumerate(zip(terms, parts, strict=True)):
        implied = any(
            theirs < mine or (theirs == mine and before < place)
            for before, theirs in enumerate(parts)
        )
        if not implied:
            kept.append(term)
    return kept
