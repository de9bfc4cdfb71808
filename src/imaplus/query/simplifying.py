"""A query that finds the same with fewer terms: none is said twice, or implied by another.

Dovecot 2.4 needs that: asked for (A or B) and (B or A) it finds all messages, and of
(A and B) or (B and A) its process dies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaplus.query.nodes import All, AnyOf, Node, Not

NOTHING = AnyOf(())
EVERYTHING = All(())


def simplified(node: Node) -> Node:
    """The query without the terms that change nothing."""
    match node:
        case Not(term):
            inner = simplified(term)
            if isinstance(inner, Not):
                return inner.term
            return (
                NOTHING if inner == EVERYTHING else EVERYTHING if inner == NOTHING else Not(inner)
            )
        case All(terms):
            return _joined(terms, All, AnyOf)
        case AnyOf(terms):
            return _joined(terms, AnyOf, All)
    return node


def _joined(
    terms: Iterable[Node], kind: type[All] | type[AnyOf], other: type[All] | type[AnyOf]
) -> Node:
    """Terms of an All or of an AnyOf; what holds for the one holds for the other."""
    flat: dict[Node, None] = {}
    for term in map(simplified, terms):
        flat.update(dict.fromkeys(term.terms if isinstance(term, kind) else (term,)))
    if other(()) in flat or any(Not(term) in flat for term in flat):
        return other(())
    kept = _without_implied(list(flat), other)
    return kept[0] if len(kept) == 1 else kind(tuple(kept))


def _without_implied(terms: Sequence[Node], other: type[All] | type[AnyOf]) -> list[Node]:
    """Leave out `A or B` beside `A`, or `A and B` beside `A`: whatever `other` makes of terms."""
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
