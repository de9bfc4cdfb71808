"""What this client tells servers of itself (ID, RFC 2971)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from imaplus.protocol.flow import Flow
from imaplus.version import __version__

Fields = tuple[tuple[str, str | None], ...]

IDENTITY: Final = (("name", "imaplus"), ("version", __version__))
"""What is told unless a program tells something else."""


def fields_of(identity: Mapping[str, str | None] | None) -> Fields:
    """What to tell, as ID takes it."""
    return IDENTITY if identity is None else tuple(identity.items())


def identify(identity: Mapping[str, str | None] | None) -> Flow[dict[str, str | None]]:
    """ID; what the server tells of itself."""
    from imaplus.extensions.id import Id

    return dict((yield from Id(fields_of(identity))))
