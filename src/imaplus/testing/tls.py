"""Certificates for tests: a temporary certificate authority.

It requires `trustme` (the extra `imaplus[testing]`), which is imported when an authority is made.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from imaplus.records import record

if TYPE_CHECKING:
    import trustme


_CERTIFICATES: WeakKeyDictionary[ssl.SSLContext, bytes] = WeakKeyDictionary()


def certificate_of(context: ssl.SSLContext) -> bytes | None:
    """Return the certificate, in DER, of a server context made by an `Authority`; else None.

    An SSLContext has no method that returns its own certificate.
    """
    return _CERTIFICATES.get(context)


@record(eq=False)
class Authority:
    """A certificate authority for tests."""

    ca: trustme.CA

    @classmethod
    def make(cls) -> Authority:
        """Make a new authority. Raises ImportError if `trustme` is not installed."""
        import trustme

        return cls(trustme.CA())

    @property
    def pem(self) -> bytes:
        """The authority's certificate in PEM."""
        return self.ca.cert_pem.bytes()

    def server_context(self, *names: str, ask_client: bool = False) -> ssl.SSLContext:
        """Make a server context with a certificate for host names and IP addresses.

        Args:
            names: default: localhost and 127.0.0.1.
            ask_client: request a client certificate of the same authority; it is optional.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = self.ca.issue_cert(*(names or ("localhost", "127.0.0.1")))
        issued.configure_cert(context)
        _CERTIFICATES[context] = ssl.PEM_cert_to_DER_cert(
            issued.cert_chain_pems[0].bytes().decode()
        )
        context.set_alpn_protocols(["imap"])
        if ask_client:
            context.verify_mode = ssl.CERT_OPTIONAL
            self.ca.configure_trust(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Make a client context that trusts only this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)
        return context

    def client_certificate(self, user: str) -> bytes:
        """Issue a client certificate for a user; return key and chain in PEM (SASL EXTERNAL)."""
        return self.ca.issue_cert(
            f"{user}@client.invalid", common_name=user
        ).private_key_and_cert_chain_pem.bytes()

    def write(self, folder: Path | None = None) -> Path:
        """Write the authority's certificate to `ca.pem` and return its path.

        The file is in `folder`, or in a new temporary folder; delete it yourself.
        """
        path = Path(folder or tempfile.mkdtemp(prefix="imaplus-testing-")) / "ca.pem"
        path.write_bytes(self.pem)
        return path
