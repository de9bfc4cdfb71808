"""IMAP for Python, done right: typed sync and async clients on one sans-IO core::

    with imaplus.Client.connect(
        "imap.example.org", user="ada", password="correct horse"
    ) as client:
        for message in client.select("INBOX").fetch("1:*", "ENVELOPE"):
            print(message.uid, message.envelope.subject)

The public names are those of `imaplus.public`, loaded when the first of them is used.

PYTEST_DONT_REWRITE: there are no assertions here for pytest to explain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imaplus.version import __version__ as __version__

if TYPE_CHECKING:
    from imaplus.public import *


def __getattr__(name: str) -> Any:
    if name[0].islower():  # all public names have capitals: it is a module, to be imported
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    public = import_module("imaplus.public")
    if name == "__all__":
        return public.__all__
    try:
        value = globals()[name] = getattr(public, name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return value


def __dir__() -> list[str]:
    return [*globals(), *__getattr__("__all__")]
