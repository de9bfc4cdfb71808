"""The index: a SQLite database that answers questions about a store, made from what is in it.

It holds nothing of its own: deleting `index.sqlite` loses nothing, and whatever is wrong with the
file is healed by making it anew. A backup never touches it. `Index` opens it and brings it up to
date; `database` has its tables, `journals` and `bodies` fill them, `sql` asks them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaplus.mirror.index.main import Hit, Index


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from imaplus.mirror.index import main  # it needs POSIX; reading headers does not

    return getattr(main, name)


__all__ = ["Hit", "Index"]
