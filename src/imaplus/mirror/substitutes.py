"""Texts that servers send in the place of a message that they cannot read.

Such a text is complete in form and wrong in fact: a mirror that kept it would hold a message that
nobody wrote, and not the one that is there. The table says what each server sends and where that
was seen.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LONGEST: Final = 8192
"""Bytes: no substitute is longer."""


class Substitute(NamedTuple):
    """What one server sends: words that find it quickly, and how sender and subject begin."""

    server: str
    mark: bytes
    sender: str
    subject: str


SUBSTITUTES: Final = (
    # Exchange 2010 and Microsoft 365, OfflineIMAP issue 62; the subject goes on with the UID.
    Substitute(
        "Microsoft Exchange",
        b"Retrieval using the IMAP4",
        "Microsoft Exchange Server",
        "Retrieval using the IMAP4 protocol failed for the following message:",
    ),
    # Courier 5.0.13, for a file that it cannot open; the text stands in its program.
    Substitute(
        "Courier",
        b"This message is no longer available on the server.",
        "System Administrator <root@localhost>",
        "message unavailable",
    ),
)


def substitute(body: bytes) -> str | None:
    """The server whose text stands in the message's place, if `body` is one."""
    if len(body) > LONGEST:
        return None
    for each in SUBSTITUTES:
        if each.mark in body:
            sender, subject = _field(body, "From"), _field(body, "Subject")
            if sender.strip('"').startswith(each.sender) and subject.startswith(each.subject):
                return each.server
    return None


def _field(body: bytes, name: str) -> str:
    """A header field of a message, its folding undone."""
    header = re.split(r"\r?\n\r?\n", body.decode("latin-1"), maxsplit=1)[0]
    unfolded = re.sub(r"\r?\n[ \t]+", " ", header)
    found = re.search(rf"(?im)^{name}:[ \t]*(.*)$", unfolded)
    return found[1].strip() if found else ""
