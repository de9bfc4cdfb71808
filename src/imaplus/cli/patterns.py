"""The mailboxes that the arguments of a verb mean, or an error that says which pattern means none.

How patterns are written is known by `imaplus.mirror.patterns`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaplus.mirror.description import Choice
from imaplus.mirror.errors import NothingMatches
from imaplus.mirror.patterns import Listed, M, levels
from imaplus.mirror.patterns import choose as choose_all

__all__ = ["Listed", "choose", "levels"]


def choose(mailboxes: Iterable[M], wanted: Sequence[str]) -> list[M]:
    """The mailboxes that `wanted` means; none: all.

    Raises:
        NothingMatches: a pattern means no mailbox.
        InvalidArgument: a pattern is not valid.
    """
    found = choose_all(mailboxes, Choice(tuple(wanted)))
    if found.unmatched:
        raise NothingMatches(found.unmatched[0])
    return list(found.mailboxes)
