"""What a server says is the same message, or thread, everywhere: OBJECTID and X-GM-EXT-1.

A message's identity is a number that its copies share; a thread is known by the first Message-ID
that the header refers to. It knows messages, not accounts.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from imaplus.testing import mime
from imaplus.testing.store import Message

GMAIL_BASE: Final = 1_800_000_000_000_000_000
"""X-GM-MSGID is larger than any float can tell exactly."""
_MESSAGE_ID: Final = re.compile(rb"<[^<>]*>")


def emailid(message: Message) -> str:
    """EMAILID (RFC 8474, 5.1)."""
    return f"M{message.identity:08x}"


def threadid(message: Message) -> str:
    """THREADID (RFC 8474, 5.2)."""
    return f"T{_thread(message):016x}"


def gmail_message(message: Message) -> int:
    """X-GM-MSGID."""
    return GMAIL_BASE + message.identity


def gmail_thread(message: Message) -> int:
    """X-GM-THRID."""
    return _thread(message)


def _thread(message: Message) -> int:
    """63 bits of a digest of the Message-ID that the thread begins with."""
    header = mime.parse(message.content).header
    for name in (b"references", b"in-reply-to", b"message-id"):
        if found := _MESSAGE_ID.search(mime.field(header, name) or b""):
            digest = hashlib.sha256(found[0]).digest()
            return int.from_bytes(digest[:8], "big") >> 1
    return message.identity
