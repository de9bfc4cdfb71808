"""From the name of a mailbox to the name of one folder: injective, and harmless everywhere.

A name comes from the server, so it is hostile until shown otherwise: `../..`, `C:\\`, NUL, ESC, 10
kB of it, or two names that a file system holds for one. Everyday names stay as they are, but for
the escaped separator (`Archive%2F2024`); any other name gets an escaped, shortened form and a
digest of the whole. It knows no disk: the true name is kept beside the messages, and never read
back from the folder's.
"""

from __future__ import annotations

import re

from imaplus.errors import InvalidArgument
from imaplus.mirror.percent import escape

MAX_OCTETS = 140
"""Of a folder's name: eCryptfs has room for 143, every other file system in use for 255."""

MAX_NAME = 64 * 1024
"""Characters of a mailbox name; far beyond what a server can put into one LIST response."""

_DIGEST = 16  # characters of base32: 80 bits, so that two names cannot be made to meet by trying

# What Windows, a shell or a terminal would take amiss; "%" and "~" are ours. A letter or digit of
# any script stays readable (see `_readable`), a dot or space not at either end (Windows drops
# those).
_UNSAFE = re.compile(r"""[^\w !#$&'()+,.;=@\[\]^`{}-]|^[. ]|[. ]$""")

# Device names of Windows, with any extension, whatever the case.
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|$)")


# How `ListEntry.name` shows an octet of a name that cannot be read, and how stores keep it: as a
# lone surrogate, which JSON can write. Stores of every version are alike by that.
_SHOWN = re.compile("\ufffd(26|[01][0-9A-F]|7F|[89A-F][0-9A-F])")
_KEPT = re.compile("[\udc00-\udcff]")


def kept_name(mailbox: str) -> str:
    """The name as the files of a store have it: `shown_name` undone."""
    return _SHOWN.sub(lambda octet: chr(0xDC00 + int(octet[1], 16)), mailbox)


def shown_name(kept: str) -> str:
    """The name as the client gives it, of one that a store has kept."""
    return _KEPT.sub(lambda octet: f"\ufffd{ord(octet[0]) - 0xDC00:02X}", kept)


def folder_name(mailbox: str) -> str:
    """The folder that holds what is kept of `mailbox`: one path component.

    Different mailboxes have different folders, on file systems that fold case or normalise Unicode
    too.

    Raises:
        InvalidArgument: the name is empty, or longer than `MAX_NAME`.
    """
    mailbox = kept_name(mailbox)
    if not 0 < len(mailbox) <= MAX_NAME:
        raise InvalidArgument(f"a mailbox name has 1 to {MAX_NAME} characters, not {len(mailbox)}")
    readable = _readable(mailbox)
    if mailbox.isascii() and mailbox == _usual_case(mailbox) and len(readable) <= MAX_OCTETS:
        return readable
    from base64 import b32encode  # everyday names do without
    from hashlib import sha256

    # "~" is escaped in every name, so one that carries a digest cannot equal one that does not.
    whole = sha256(mailbox.encode("utf-8", "surrogatepass")).digest()
    digest = b32encode(whole).decode("ascii").lower()[:_DIGEST]
    return f"{_shorten(readable, MAX_OCTETS - _DIGEST - 1)}~{digest}"


def _readable(mailbox: str) -> str:
    """`mailbox` with what is unsafe in a file name escaped."""
    if not mailbox.isascii():
        from unicodedata import normalize  # a megabyte, which few mailboxes need

        # What a file system would normalise anyway would not be found again by this name.
        mailbox = normalize("NFC", mailbox)
    text = escape(mailbox, _UNSAFE)
    if _RESERVED.match(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    return text


def _usual_case(mailbox: str) -> str:
    """The one spelling, among those that differ only in case, that needs no digest.

    Words with a capital, as in "Sent Items", and INBOX as RFC 9051, 5.1, has it.
    """
    return re.sub(r"^Inbox(?![A-Za-z])", "INBOX", mailbox.title())


def _shorten(readable: str, octets: int) -> str:
    """As much of `readable` as fits into `octets` of UTF-8, without half an escape at the end."""
    cut = readable.encode("utf-8")[:octets].decode("utf-8", "ignore")
    return re.sub(r"%[0-9A-F]?$", "", cut) if len(cut) < len(readable) else cut
