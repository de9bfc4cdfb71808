"""Certificates for tests: an authority made on the spot, and what it vouches for.

Needs `trustme` (the extra `imaplus[testing]`), which is imported only when a certificate is asked
for. It knows nothing of the server.
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
    """The certificate in DER that an `Authority` has given to a server's context, which does not
    tell; None for a context that somebody else has made."""
    return _CERTIFICATES.get(context)


@record(eq=False)
class Authority:
    """A certificate authority that only the tests trust."""

    ca: trustme.CA

    @classmethod
    def make(cls) -> Authority:
        """Make one. Raises ImportError without `trustme`."""
        import trustme

        return cls(trustme.CA())

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for clients that trust it."""
        return self.ca.cert_pem.bytes()

    def server_context(self, *names: str, ask_client: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for these host names and addresses.

        With `ask_client` clients may show a certificate of the same authority.
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
        """A client's context that trusts this authority and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)
        return context

    def client_certificate(self, user: str) -> bytes:
        """Key and certificate chain, in PEM, of a user: for SASL EXTERNAL."""
        return self.ca.issue_cert(
            f"{user}@client.invalid", common_name=user
        ).private_key_and_cert_chain_pem.bytes()

    def write(self, folder: Path | None = None) -> Path:
        """The authority's certificate as a file, for whoever takes a path. Nobody deletes it."""
        path = Path(folder or tempfile.mkdtemp(prefix="imaplus-testing-")) / "ca.pem"
        path.write_bytes(self.pem)
        return path
