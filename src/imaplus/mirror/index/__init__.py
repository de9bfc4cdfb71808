"""The search index of a store: a SQLite database, built from the store.

Deleting `index.sqlite` loses nothing, and a damaged file is rebuilt. A backup does not use it.
`Index` opens and updates it; `database` has its tables, `journals` and `bodies` fill them, `sql`
queries them.
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
