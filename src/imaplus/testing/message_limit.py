"""MESSAGELIMIT (RFC 9738): commands that do a part of what was asked, and say so."""

from __future__ import annotations

from typing import NamedTuple

from imaplus.testing.mishaps import MessageLimit
from imaplus.testing.registry import No, Ok
from imaplus.testing.session import Session
from imaplus.testing.view import Numbered


class Partly(NamedTuple):
    """How far a command has come."""

    limit: int
    lowest: int
    """The UID of the last message that it worked on."""
    untagged: bool


def limited(session: Session, found: list[Numbered]) -> Partly | None:
    """Take from ascending messages those that are too many, from the lowest on.

    If there were too many, `done()` is to be told what comes back.
    """
    mishap = session.meets(
        MessageLimit, session.selected().mailbox.name, when=lambda each: len(found) > each.limit
    )
    if mishap is None:
        return None
    del found[: -mishap.limit]
    return Partly(mishap.limit, found[0][1].uid, mishap.untagged)


def done(session: Session, partly: Partly | None, code: str = "") -> Ok:
    """The tagged OK of a command, with a code of its own or the one that says how far it came."""
    if partly is None:
        return Ok(code)
    told = f"MESSAGELIMIT {partly.limit} {partly.lowest}"
    if not code and not partly.untagged:
        return Ok(told, "Partly completed")
    session.out.say(f"NO [{told}] Partly completed".encode())
    return Ok(code)


def insist(session: Session, found: list[Numbered]) -> None:
    """Refuse what is done as a whole or not at all (RFC 9738). Raises No."""
    if (partly := limited(session, found)) is not None:
        raise No("Too many messages for one command", f"MESSAGELIMIT {partly.limit}")
