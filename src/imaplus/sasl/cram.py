"""CRAM-MD5 (RFC 2195), the last of the mechanisms that are built on MD5.

DIGEST-MD5 (RFC 2831) is left out: RFC 6331 moved it to Historic because implementations do not
agree, and names SCRAM in its place. CRAM-MD5 does not authenticate the server, needs passwords kept
readable, and lets whoever listens guess at leisure. It is used in the clear, where the alternatives
expose the password, and under TLS only if the server has no PLAIN: RFC 8314 has TLS protect the
password there.
"""

from __future__ import annotations

from collections.abc import Generator

from imaplus.errors import UsageError
from imaplus.sasl.credentials import Password
from imaplus.sasl.mechanism import Mechanism


class CramMd5(Mechanism):
    """A keyed digest of the server's challenge (RFC 2195); obsolete, yet better than in clear."""

    name = "CRAM-MD5"
    client_first = False

    def __init__(self, credentials: Password) -> None:
        self._who = credentials

    @staticmethod
    def available() -> bool:
        """Whether this Python has MD5: a FIPS build has not."""
        import hmac

        try:
            hmac.digest(b"key", b"", "md5")
        except ValueError:
            return False
        return True

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = False
        import hmac

        if not self.available():
            raise UsageError("CRAM-MD5 needs MD5, which is switched off in this Python")
        challenge = yield None
        self.done = True
        digest = hmac.digest(self._who.password.reveal().encode(), challenge, "md5").hex()
        yield f"{self._who.user} {digest}".encode()
