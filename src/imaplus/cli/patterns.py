"""Choose the mailboxes that match the arguments of a verb."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaplus.mirror.description import Choice
from imaplus.mirror.errors import NothingMatches
from imaplus.mirror.patterns import Listed, M, levels
from imaplus.mirror.patterns import choose as choose_all

__all__ = ["Listed", "choose", "levels"]


def choose(mailboxes: Iterable[M], wanted: Sequence[str]) -> list[M]:
    """Return the mailboxes that match a pattern of `wanted`; all if it is empty.

    Raises:
        NothingMatches: a pattern matches no mailbox.
        InvalidArgument: a pattern is not valid.
    """
    found = choose_all(mailboxes, Choice(tuple(wanted)))
    if found.unmatched:
        raise NothingMatches(found.unmatched[0])
    return list(found.mailboxes)
