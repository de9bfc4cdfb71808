"""The query language: `from:billing since:90d -is:read (invoice OR receipt)`.

`parse` reads it, and both a server and a mirror understand it: `find` answers a query on an open
mailbox, `imaplus.mirror.Index.find` on a mirror, with the same messages on the same mail. `nodes`
are what a query consists of, `keys` and `steps` what it is to a server, `threads` groups what was
found. What is for servers is loaded when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imaplus.query.nodes import Node, QueryError
from imaplus.query.parser import OPERATORS, parse

if TYPE_CHECKING:
    from imaplus.query.grouping import Thread, Threaded, threads
    from imaplus.query.imap import (
        Can,
        Dates,
        Search,
        Steps,
        Structures,
        find,
        keys,
        steps,
    )

_MODULES = {
    "imaplus.query.imap": "Can Dates Search Steps Structures find keys steps",
    "imaplus.query.grouping": "Thread Threaded threads",
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names.split():
            from importlib import import_module

            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "OPERATORS",
    "Can",
    "Dates",
    "Node",
    "QueryError",
    "Search",
    "Steps",
    "Structures",
    "Thread",
    "Threaded",
    "find",
    "keys",
    "parse",
    "steps",
    "threads",
]
