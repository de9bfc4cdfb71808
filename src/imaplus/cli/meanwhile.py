"""What a verb needs only when it is connected is loaded while the server considers the password.

It knows names of modules; what is in them, and who needs them, is the verbs' affair.
"""

from __future__ import annotations

import socket  # noqa: F401 - what connecting takes comes first, and undisturbed
from importlib import import_module
from threading import Thread


def load_meanwhile(*names: str) -> None:
    """Load modules in a thread. Whoever imports one of them before it is there waits for it."""
    Thread(target=_load, args=names).start()


def _load(*names: str) -> None:
    for name in names:
        import_module(name)
