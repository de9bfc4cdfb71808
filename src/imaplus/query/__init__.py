"""The query language: `from:billing since:90d -is:read (invoice OR receipt)`.

`parse` parses a query. `find` runs it on an open mailbox, and `imaplus.mirror.Index.find` on a
mirror; both find the same messages. `nodes` are the parts of a query, `keys` and `steps` translate
it for a server, and `threads` groups messages. Modules for servers are loaded when they are used.
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
