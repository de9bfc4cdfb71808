"""What both kinds of stream need for TLS: the check of what was agreed on, and errors."""

from __future__ import annotations

import ssl

from imaplus.client.endpoints import ALPN
from imaplus.client.unreachable import too_late
from imaplus.errors import ConnectionLost, TlsFailed


def check_alpn(selected: str | None) -> None:
    """Refuse a server that says it speaks something else (ALPACA; RFC 7301, 3.2)."""
    if selected not in (None, ALPN):
        raise ssl.SSLError(f"the server speaks {selected!r}, not {ALPN!r}")


def tls_failed(host: str, error: Exception, timeout: float | None) -> ConnectionLost:
    """The error for a handshake that failed, `timeout` being the seconds it had."""
    if isinstance(error, TimeoutError):
        return too_late(f"{host} did not finish the TLS handshake", error, timeout)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(f"the certificate of {host} is not accepted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return TlsFailed(f"TLS with {host} failed: {getattr(error, 'reason', None) or error}")
    return TlsFailed(f"TLS with {host} failed: {str(error) or 'the connection was closed'}")
