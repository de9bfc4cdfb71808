"""The responses that each command requests in large numbers.

`limits.unasked` bounds all others, and they do not count as progress against `CHATTER`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final


class _Everything:
    """A container that contains every value."""

    def __contains__(self, _: object) -> bool:
        return True


EVERYTHING: Final[Container[str]] = _Everything()
"""For unknown commands, and for IDLE, where the program consumes responses as they arrive."""
_FETCH: Final = frozenset(("FETCH",))
_GONE: Final = frozenset(("EXPUNGE", "VANISHED", "FETCH", "EXISTS"))
ASKED: Final[Mapping[str, Container[str]]] = {
    **dict.fromkeys(("FETCH", "STORE", "PARTIAL"), _FETCH),
    **dict.fromkeys(("EXPUNGE", "MOVE"), _GONE),
    **dict.fromkeys(("SELECT", "EXAMINE"), frozenset(("FLAGS", "VANISHED", "FETCH"))),
    **dict.fromkeys(("SEARCH", "SORT"), frozenset(("SEARCH", "SORT", "ESEARCH"))),
    **dict.fromkeys(("LIST", "LSUB"), frozenset(("LIST", "LSUB", "STATUS"))),
    **dict.fromkeys(("GETACL", "SETACL", "DELETEACL"), frozenset(("ACL",))),
    **dict.fromkeys(("GETQUOTA", "SETQUOTA", "GETQUOTAROOT"), frozenset(("QUOTA", "QUOTAROOT"))),
    **dict.fromkeys(("GETANNOTATION", "SETANNOTATION"), frozenset(("ANNOTATION",))),
    "THREAD": frozenset(("THREAD",)),
    **dict.fromkeys(
        "APPEND AUTHENTICATE CAPABILITY CHECK CLOSE COPY CREATE DELETE ENABLE ID LOGIN LOGOUT "
        "MYRIGHTS NAMESPACE NOOP PROXYAUTH RENAME STARTTLS STATUS SUBSCRIBE UNSELECT "
        "UNSUBSCRIBE".split(),
        frozenset(),
    ),
}
"""The response types that each known command may request many of."""
