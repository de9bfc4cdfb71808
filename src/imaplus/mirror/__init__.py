"""Keep a copy of an account's mail on disk.

`Store` holds the copy (`store` describes the layout), `backup` updates it from a server, and
`verify` checks that it is complete and undamaged. The package reads servers through the public API
of imaplus only. The names are those of `public`, loaded when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaplus.mirror.public import *  # noqa: F403 - for type checkers only


def __getattr__(name: str) -> Any:
    import os
    from importlib import import_module

    if not hasattr(os, "O_NOFOLLOW"):
        raise ImportError("imaplus.mirror needs a POSIX system: Linux, macOS or a BSD")
    public = import_module("imaplus.mirror.public")
    if name != "__all__" and name not in public.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(public, name)


def __dir__() -> list[str]:
    return [*globals(), *__getattr__("__all__")]
