"""Which body of a message a literal is, by what stands before it in the response.

It is asked before the response is complete. What the body is good for is not known here.
"""

from __future__ import annotations

import re
from typing import Final

from imaplus.wire.patterns import lazy_pattern

_SECTION: Final = lazy_pattern(rb"((?:BODY|BINARY)\[[^\]]*\](?:<[0-9.]{1,41}>)?) ~?\Z", re.I)
_RFC822: Final = lazy_pattern(rb"(RFC822[A-Z.]*) \Z", re.I)
LONGEST_NAME: Final = 2000
"""Octets of a body's name before its literal: BODY[HEADER.FIELDS (...)] with a hundred fields."""


def name_of_body(text: bytearray) -> str | None:
    """Which body the literal is that comes after this text, in capitals; None if it is none.

    There may be tens of thousands of literals: only what can be the name is looked at.
    """
    if text.endswith(b" BODY[] "):
        return "BODY[]"  # the commonest by far
    bracket = text.rfind(b"[", max(0, len(text) - LONGEST_NAME))
    found = (
        _SECTION.match(text, max(0, bracket - len("BODY")))
        or _SECTION.match(text, max(0, bracket - len("BINARY")))
        or _RFC822.search(text, max(0, len(text) - len("RFC822.HEADER ")))
    )
    return found[1].decode("latin-1").upper() if found else None
