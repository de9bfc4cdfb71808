"""Map names of mailboxes to safe and distinct names of folders.

A name comes from the server and may be hostile: `../..`, `C:\\`, NUL, ESC, 10 kB long, or equal to
another one on a file system that ignores case. Common names stay as they are, except for the
escaped separator (`Archive%2F2024`); any other name gets an escaped, shortened form and a digest.
The mapping is not reversed: the real name is stored in mailbox.json.
"""

from __future__ import annotations

import re

from imaplus.errors import InvalidArgument
from imaplus.mirror.percent import escape

MAX_BYTES = 140
"""The longest name of a folder: eCryptfs allows 143 bytes, other file systems 255."""

MAX_NAME = 64 * 1024
"""The longest name of a mailbox, in characters; longer than any LIST response can have."""

_DIGEST = 16  # characters of base32: 80 bits, so that nobody can construct a collision

# Characters that are special to Windows, a shell or a terminal, and "%" and "~", which escapes use.
# Letters and digits of any script are allowed; dots and spaces are escaped at either end, where
# Windows drops them.
_UNSAFE = re.compile(r"""[^\w !#$&'()+,.;=@\[\]^`{}-]|^[. ]|[. ]$""")

# Device names of Windows, with any extension, whatever the case.
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|$)")


# A byte of a name that cannot be decoded: in `ListEntry.name` U+FFFD and two hexadecimal digits, in
# the files of a store, in all versions, a lone surrogate.
_SHOWN = re.compile("\ufffd(26|[01][0-9A-F]|7F|[89A-F][0-9A-F])")
_KEPT = re.compile("[\udc00-\udcff]")


def kept_name(mailbox: str) -> str:
    """Return the name as it is in the files of a store; reverses `shown_name`."""
    return _SHOWN.sub(lambda match: chr(0xDC00 + int(match[1], 16)), mailbox)


def shown_name(kept: str) -> str:
    """Return the name as in `ListEntry.name`, of a name from the files of a store."""
    return _KEPT.sub(lambda match: f"\ufffd{ord(match[0]) - 0xDC00:02X}", kept)


def folder_name(mailbox: str) -> str:
    """Return the name of the folder of `mailbox`: one path component.

    Different mailboxes have different folders, also on file systems that ignore case or normalise
    Unicode.

    Raises:
        InvalidArgument: the name is empty, or longer than `MAX_NAME`.
    """
    mailbox = kept_name(mailbox)
    if not 0 < len(mailbox) <= MAX_NAME:
        raise InvalidArgument(
            f"a mailbox name must have 1 to {MAX_NAME} characters, not {len(mailbox)}"
        )
    readable = _readable(mailbox)
    if mailbox.isascii() and mailbox == _usual_case(mailbox) and len(readable) <= MAX_BYTES:
        return readable
    from base64 import b32encode  # rarely needed
    from hashlib import sha256

    # "~" is escaped in every name, so one that carries a digest cannot equal one that does not.
    whole = sha256(mailbox.encode("utf-8", "surrogatepass")).digest()
    digest = b32encode(whole).decode("ascii").lower()[:_DIGEST]
    return f"{_shorten(readable, MAX_BYTES - _DIGEST - 1)}~{digest}"


def _readable(mailbox: str) -> str:
    """`mailbox` with what is unsafe in a file name escaped."""
    if not mailbox.isascii():
        from unicodedata import normalize  # large, and rarely needed

        # A file system may normalise names itself.
        mailbox = normalize("NFC", mailbox)
    text = escape(mailbox, _UNSAFE)
    if _RESERVED.match(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    return text


def _usual_case(mailbox: str) -> str:
    """The spelling that needs no digest, among those that differ only in case.

    Capitalised words, as in "Sent Items", and INBOX (RFC 9051, 5.1).
    """
    return re.sub(r"^Inbox(?![A-Za-z])", "INBOX", mailbox.title())


def _shorten(readable: str, limit: int) -> str:
    """Cut `readable` to at most `limit` bytes of UTF-8, without a partial escape at the end."""
    cut = readable.encode("utf-8")[:limit].decode("utf-8", "ignore")
    return re.sub(r"%[0-9A-F]?$", "", cut) if len(cut) < len(readable) else cut
