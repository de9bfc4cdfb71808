"""Secrets that have been sent, to be blanked where a server repeats them."""

from __future__ import annotations

from binascii import b2a_base64
from typing import Final

SHORTEST: Final = 4
"""Octets of a secret that is blanked; less is in any text."""
BLANK: Final = b"***"


class Blanking:
    """The secrets of one login, as they are and in base64, in capitals or not."""

    __slots__ = ("_secrets",)

    def __init__(self) -> None:
        self._secrets: set[bytes] = set()

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def keep(self, secret: bytes) -> None:
        """Blank this from here on."""
        if len(secret) >= SHORTEST:
            self._secrets |= {secret.lower(), b2a_base64(secret, newline=False).lower()}

    def forget(self) -> None:
        """Blank nothing any more."""
        self._secrets.clear()

    def blank(self, data: bytes) -> bytes:
        """The octets without the secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            data = _without(data, secret)
        return data


def _without(data: bytes, secret: bytes) -> bytes:
    """The octets without one secret, which is given in small letters."""
    parts: list[bytes] = []
    small, end = data.lower(), 0
    while (at := small.find(secret, end)) >= 0:
        parts += (data[end:at], BLANK)
        end = at + len(secret)
    return b"".join((*parts, data[end:])) if parts else data
