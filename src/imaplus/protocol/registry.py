"""Registries of parsers. A parser is registered where the value that it returns is defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imaplus.wire.cursor import Cursor

Parser = Callable[[Cursor], object]
"""Reads a value from the cursor; raises ProtocolError if it cannot."""


def register(registry: dict[str, Any], name: str, parser: object) -> None:
    """Add a parser to a registry, at import.

    Raises:
        ValueError: the name has a parser already.
    """
    if name in registry:
        raise ValueError(f"{name} has a parser already")
    registry[name] = parser
