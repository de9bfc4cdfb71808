"""Safe file names, made from untrusted names.

A safe name is a single path component without separators, control and direction characters. It is
not hidden, not a Windows device, and short enough for a number to be added.
"""

from __future__ import annotations

from typing import Final

from imaplus.core.parts import Part
from imaplus.wire.patterns import lazy_pattern

LONGEST: Final = 200
"""Maximum size in bytes (UTF-8): file systems allow 255, and a number may be added."""
LONGEST_EXTENSION: Final = 20
_FORBIDDEN: Final = lazy_pattern(r'[<>:"/\\|?*\x7f]')
_DEVICE: Final = lazy_pattern(
    r"(?i)(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])[ ]*(?:\.|\Z)"
)
_SPACES: Final = lazy_pattern(r"\s+")
_EXTENSIONS: Final = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/ms-tnef": "dat",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/pgp-keys": "asc",
    "application/pgp-signature": "asc",
    "application/pkcs7-mime": "p7m",
    "application/pkcs7-signature": "p7s",
    "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/xml": "xml",
    "application/zip": "zip",
    "audio/mpeg": "mp3",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tiff",
    "image/webp": "webp",
    "message/delivery-status": "txt",
    "message/global": "eml",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/rfc822-headers": "txt",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "video/mp4": "mp4",
}
_NAMES: Final = {
    "application/ms-tnef": "winmail",
    "application/pgp-signature": "signature",
    "application/pkcs7-mime": "smime",
    "application/pkcs7-signature": "smime",
    "message/delivery-status": "delivery-status",
    "text/calendar": "invite",
    "text/rfc822-headers": "headers",
}


def safe_name(name: str | None, default: str = "attachment") -> str:
    """Make a safe name from an untrusted one; `default` if nothing remains of it."""
    import unicodedata  # a megabyte of tables, loaded when needed

    text = _SPACES.sub(" ", name or "")
    # Invisible: Cc, Cf (directions, zero widths), Cs, Co and Cn.
    text = "".join(c for c in text if not unicodedata.category(c).startswith("C"))
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    text = _FORBIDDEN.sub("_", text)
    text = text.lstrip(". ~").rstrip(". ")
    if text.startswith("-"):
        text = "_" + text[1:]
    if not text.strip("_. "):
        text = default
    if _DEVICE.match(text):
        text = "_" + text
    return _shorten(text)


def _shorten(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or not extension or len(extension.encode()) > LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    room = LONGEST - len((dot + extension).encode())
    cut = stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ")
    return cut + dot + extension


def add_number(name: str, number: int) -> str:
    """Add a number to a name: "report (2).pdf". Number 1 adds nothing."""
    if number < 2:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    return f"{stem} ({number}){dot}{extension}"


def name_of(part: Part) -> str:
    """Make a safe name for a part: from its file name, else from its type."""
    kind = part.content_type
    extension = _EXTENSIONS.get(kind, "bin")
    default = f"{_NAMES.get(kind, 'attachment')}.{extension}"
    name = part.filename
    envelope = getattr(part, "envelope", None)
    if name is None and envelope is not None and envelope.subject:
        name = f"{safe_name(envelope.subject, 'message')[:100]}.eml"
    safe = safe_name(name, default)
    if kind in ("message/rfc822", "message/global") and not safe.lower().endswith(".eml"):
        safe = safe_name(f"{safe}.eml")
    return safe
