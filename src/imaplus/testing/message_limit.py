"""MESSAGELIMIT (RFC 9738): commands that process only part of their messages."""

from __future__ import annotations

from typing import NamedTuple

from imaplus.testing.mishaps import MessageLimit
from imaplus.testing.registry import No, Ok
from imaplus.testing.session import Session
from imaplus.testing.view import Numbered


class Partly(NamedTuple):
    """How far a command was carried out."""

    limit: int
    lowest: int
    """The UID of the last message processed."""
    untagged: bool


def take_limited(session: Session, found: list[Numbered]) -> Partly | None:
    """Remove the lowest messages above the limit from `found`, which is in ascending order.

    Returns None if there was nothing to remove; otherwise pass the result to `make_ok()`.
    """
    mishap = session.find_mishap(
        MessageLimit, session.selected().mailbox.name, when=lambda each: len(found) > each.limit
    )
    if mishap is None:
        return None
    del found[: -mishap.limit]
    return Partly(mishap.limit, found[0][1].uid, mishap.untagged)


def make_ok(session: Session, partly: Partly | None, code: str = "") -> Ok:
    """Make the tagged OK of a command, with its own code or the MESSAGELIMIT code."""
    if partly is None:
        return Ok(code)
    limit = f"MESSAGELIMIT {partly.limit} {partly.lowest}"
    if not code and not partly.untagged:
        return Ok(limit, "Partly completed")
    session.out.say(f"NO [{limit}] Partly completed".encode())
    return Ok(code)


def require_within_limit(session: Session, found: list[Numbered]) -> None:
    """Raise No if there are too many messages for a command that cannot be done in part."""
    if (partly := take_limited(session, found)) is not None:
        raise No("Too many messages for one command", f"MESSAGELIMIT {partly.limit}")
