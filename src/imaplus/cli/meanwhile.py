"""Import modules in a thread while the program waits for the login."""

from __future__ import annotations

import socket  # noqa: F401 - import first what the connection needs
from importlib import import_module
from threading import Thread


def load_meanwhile(*names: str) -> None:
    """Import modules in a thread; an import of one of them meanwhile waits for the thread."""
    Thread(target=_load, args=names).start()


def _load(*names: str) -> None:
    for name in names:
        import_module(name)
