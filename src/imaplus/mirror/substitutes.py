"""Recognise error texts that servers send in place of a message that they cannot read.

Such a text is a valid message, but not the one in the mailbox. The table has the text of each
server, and where it was seen.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LONGEST: Final = 8192
"""Bytes of the longest substitute."""


class Substitute(NamedTuple):
    """The text of one server: a mark for a fast check, and the beginning of sender and subject."""

    server: str
    mark: bytes
    sender: str
    subject: str


SUBSTITUTES: Final = (
    # Exchange 2010 and Microsoft 365, OfflineIMAP issue 62; the UID follows in the subject.
    Substitute(
        "Microsoft Exchange",
        b"Retrieval using the IMAP4",
        "Microsoft Exchange Server",
        "Retrieval using the IMAP4 protocol failed for the following message:",
    ),
    # Courier 5.0.13, for a file that it cannot open; the text is in its source.
    Substitute(
        "Courier",
        b"This message is no longer available on the server.",
        "System Administrator <root@localhost>",
        "message unavailable",
    ),
)


def substitute(body: bytes) -> str | None:
    """Return the name of the server if `body` is its error text; None otherwise."""
    if len(body) > LONGEST:
        return None
    for each in SUBSTITUTES:
        if each.mark in body:
            sender, subject = _field(body, "From"), _field(body, "Subject")
            if sender.strip('"').startswith(each.sender) and subject.startswith(each.subject):
                return each.server
    return None


def _field(body: bytes, name: str) -> str:
    """The value of a header field, unfolded."""
    header = re.split(r"\r?\n\r?\n", body.decode("latin-1"), maxsplit=1)[0]
    unfolded = re.sub(r"\r?\n[ \t]+", " ", header)
    found = re.search(rf"(?im)^{name}:[ \t]*(.*)$", unfolded)
    return found[1].strip() if found else ""
