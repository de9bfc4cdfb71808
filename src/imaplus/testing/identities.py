"""Identifiers of messages and threads: OBJECTID (RFC 8474) and X-GM-EXT-1.

Copies of a message share its identity, a number. A thread is identified by the first Message-ID in
References, In-Reply-To or Message-ID.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from imaplus.testing import mime
from imaplus.testing.store import Message

GMAIL_BASE: Final = 1_800_000_000_000_000_000
"""Added to X-GM-MSGID, so that it exceeds the integers that a float represents exactly."""
_MESSAGE_ID: Final = re.compile(rb"<[^<>]*>")


def emailid(message: Message) -> str:
    """Return the EMAILID (RFC 8474, 5.1)."""
    return f"M{message.identity:08x}"


def threadid(message: Message) -> str:
    """Return the THREADID (RFC 8474, 5.2)."""
    return f"T{_thread(message):016x}"


def gmail_message(message: Message) -> int:
    """Return the X-GM-MSGID."""
    return GMAIL_BASE + message.identity


def gmail_thread(message: Message) -> int:
    """Return the X-GM-THRID."""
    return _thread(message)


def _thread(message: Message) -> int:
    """Return 63 bits of the digest of the thread's first Message-ID."""
    header = mime.parse(message.content).header
    for name in (b"references", b"in-reply-to", b"message-id"):
        if found := _MESSAGE_ID.search(mime.field(header, name) or b""):
            digest = hashlib.sha256(found[0]).digest()
            return int.from_bytes(digest[:8], "big") >> 1
    return message.identity
