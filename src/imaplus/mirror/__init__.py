"""The mirror: an account's mail on disk, in a store made to be trusted.

`Store` is where it lies (`store` has the layout), `backup` brings it up to date with a server, and
`verify` says whether it is whole. It knows files, and the public API of imaplus for what comes from
a server; it refuses to know how that is done. The names are those of `public`, loaded when used.
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
