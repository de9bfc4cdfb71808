"""The fields that the client sends in ID (RFC 2971)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from imaplus.protocol.flow import Flow
from imaplus.version import __version__

Fields = tuple[tuple[str, str | None], ...]

IDENTITY: Final = (("name", "imaplus"), ("version", __version__))
"""The default fields."""


def fields_of(identity: Mapping[str, str | None] | None) -> Fields:
    """Return the fields to send."""
    return IDENTITY if identity is None else tuple(identity.items())


def identify(identity: Mapping[str, str | None] | None) -> Flow[dict[str, str | None]]:
    """Send ID, and return the server's fields."""
    from imaplus.extensions.id import Id

    return dict((yield from Id(fields_of(identity))))
